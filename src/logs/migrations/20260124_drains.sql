-- Where an app's log is delivered to. `url` is sealed: it may hold a password.
CREATE TABLE log_drains (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  token TEXT NOT NULL UNIQUE,       -- "d.<uuid>"
  url BLOB NOT NULL,
  addon TEXT,                       -- the add-on that made it, and alone may remove it
  place INTEGER NOT NULL,           -- of the last line that was delivered (or given up)
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX log_drains_by_app ON log_drains (app);
