-- A slug is shared by the releases of several apps, and so it outlives the app that built it until
-- garbage is collected: no foreign key.
CREATE TABLE slugs (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL,
  checksum TEXT NOT NULL,         -- SHA-256 of the archive in hexadecimal; empty before the upload
  size INTEGER NOT NULL,          -- bytes of the archive
  stack TEXT NOT NULL,
  "commit" TEXT NOT NULL,
  commit_description TEXT NOT NULL,
  buildpack_provided_description TEXT NOT NULL,
  process_types TEXT NOT NULL,    -- a JSON object, type to command
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX slugs_by_app ON slugs (app);

-- Append-only: after the insert only status, output_stream and updated_at ever change, and status only
-- from pending. The user stays named when the account is gone: no foreign key.
CREATE TABLE releases (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'expired')),
  user TEXT NOT NULL,
  slug TEXT REFERENCES slugs (id),
  config BLOB NOT NULL,           -- a JSON object, sealed under the context "config/<id>"
  output_stream TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (app, version)
) STRICT;
CREATE INDEX releases_by_slug ON releases (slug);
CREATE INDEX releases_pending ON releases (created_at) WHERE status = 'pending';
