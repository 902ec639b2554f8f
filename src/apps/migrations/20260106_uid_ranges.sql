-- Ranges of host user ids: range `slot` starts at 1,000,000 + slot * 65,536. Free again when its app is NULL.
CREATE TABLE uid_ranges (
  slot INTEGER PRIMARY KEY,
  app TEXT UNIQUE REFERENCES apps (id) ON DELETE SET NULL
) STRICT;
