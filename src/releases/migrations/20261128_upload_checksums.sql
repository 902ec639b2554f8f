-- What whoever makes a slug by hand says that its archive's checksum will be.
CREATE TABLE upload_checksums (
  slug TEXT PRIMARY KEY REFERENCES slugs (id) ON DELETE CASCADE,
  checksum TEXT NOT NULL          -- "SHA256:" and 64 hexadecimal digits
) STRICT;
