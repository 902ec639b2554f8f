-- The dynos of engines/local. A row is written before its sandbox is made and changed before its
-- processes are told: after a crash of control the rows and the kernel together say all.
CREATE TABLE local_dynos (
  id TEXT PRIMARY KEY,             -- also its sandbox's
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  one_off INTEGER NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL,
  command TEXT NOT NULL,
  size TEXT NOT NULL,
  release TEXT NOT NULL,
  release_version INTEGER NOT NULL,
  state TEXT NOT NULL,             -- down: told to stop, or ended
  state_since INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  exit_status INTEGER,
  port INTEGER NOT NULL,           -- where a web dyno is to listen
  log_secret TEXT NOT NULL,
  output_stream TEXT NOT NULL,     -- empty: only the log
  expires_at INTEGER,              -- a one-off's time to live
  asked TEXT NOT NULL DEFAULT '',  -- by people: 'replace' or 'stop'
  launched INTEGER NOT NULL DEFAULT 0,  -- its sandbox was made
  boot TEXT NOT NULL,              -- the kernel's boot id when the row was written
  crashes INTEGER NOT NULL DEFAULT 0,   -- of its number, in a row
  retry_at INTEGER NOT NULL DEFAULT 0,  -- of a crashed one: not before
  ended_at INTEGER,
  cleared INTEGER NOT NULL DEFAULT 0    -- nothing is left of its sandbox
) STRICT;
CREATE INDEX local_dynos_by_app ON local_dynos (app);
