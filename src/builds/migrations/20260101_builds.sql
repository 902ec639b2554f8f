CREATE TABLE builds (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  user TEXT NOT NULL,
  status TEXT NOT NULL,              -- pending, succeeded, failed
  stack TEXT NOT NULL,
  wanted TEXT NOT NULL,              -- buildpacks given for this build only, one a line
  buildpacks TEXT NOT NULL,          -- chosen or detected, one a line
  source_url TEXT NOT NULL,
  source_version TEXT NOT NULL,
  source_checksum TEXT NOT NULL,
  version_description TEXT NOT NULL,
  output_stream TEXT NOT NULL,
  slug TEXT,
  release TEXT,
  failure TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX builds_by_app ON builds (app, created_at);
CREATE INDEX builds_pending ON builds (created_at) WHERE status = 'pending';
