CREATE TABLE app_setups (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  user TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
  failure_message TEXT,
  source_url TEXT NOT NULL,
  source_version TEXT NOT NULL,
  source_checksum TEXT NOT NULL,
  formation TEXT NOT NULL,        -- type=quantity:size, one a line; either may be empty
  postdeploy TEXT NOT NULL,       -- a command; empty: none
  postdeploy_size TEXT NOT NULL,
  postdeploy_dyno TEXT NOT NULL,  -- the id of the one-off dyno, chosen before it runs
  postdeploy_stream TEXT NOT NULL,
  postdeploy_exit INTEGER,
  success_url TEXT NOT NULL,
  build TEXT,                     -- once it was started
  scaled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX app_setups_pending ON app_setups (created_at) WHERE status = 'pending';
