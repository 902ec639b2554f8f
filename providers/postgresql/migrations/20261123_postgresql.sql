CREATE TABLE clusters (
  server TEXT PRIMARY KEY,        -- servers.id
  plan TEXT NOT NULL,             -- "shared", or the plan of the one database that has it
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE databases (
  uuid TEXT PRIMARY KEY,          -- the add-on's
  name TEXT NOT NULL,             -- the add-on's
  plan TEXT NOT NULL,
  server TEXT NOT NULL,           -- empty until one is chosen
  dbname TEXT NOT NULL,
  state TEXT NOT NULL,            -- provisioning, available, quarantined, purging
  created_at INTEGER NOT NULL,
  deleted_at INTEGER              -- quarantined: since when
) STRICT;
CREATE INDEX databases_by_server ON databases (server);

CREATE TABLE credentials (
  uuid TEXT NOT NULL REFERENCES databases (uuid) ON DELETE CASCADE,
  name TEXT NOT NULL,             -- "default" owns the database
  user TEXT NOT NULL,
  password BLOB NOT NULL,         -- sealed
  state TEXT NOT NULL,            -- enabling (the server does not know it yet), active, revoking
  created_at INTEGER NOT NULL,
  PRIMARY KEY (uuid, name)
) STRICT;

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL             -- sealed
) STRICT;

CREATE TABLE transfers (
  uuid TEXT PRIMARY KEY,
  num INTEGER NOT NULL,           -- counted per app
  app TEXT NOT NULL,
  database TEXT NOT NULL,         -- the add-on that is read or, for a restore, written
  name TEXT NOT NULL,             -- the attachment, as the user says it
  kind TEXT NOT NULL,             -- backup, restore
  source TEXT NOT NULL,           -- of a restore: the backup's uuid
  schedule TEXT NOT NULL,         -- its uuid; empty when a person asked
  state TEXT NOT NULL,            -- pending, running, verifying, finished, failed, cancelled
  bytes INTEGER NOT NULL,
  source_bytes INTEGER NOT NULL,
  log TEXT NOT NULL,              -- lines of "<micros> <text>"
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  verified_at INTEGER,            -- restored into a scratch server, and its rows counted
  UNIQUE (app, num)
) STRICT;

CREATE TABLE schedules (
  uuid TEXT PRIMARY KEY,
  database TEXT NOT NULL,
  app TEXT NOT NULL,
  name TEXT NOT NULL,             -- "DATABASE_URL"
  hour INTEGER NOT NULL,
  timezone TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  UNIQUE (database, name)
) STRICT;
