CREATE TABLE stores (
  uuid TEXT PRIMARY KEY,          -- the add-on's
  name TEXT NOT NULL,             -- the add-on's
  plan TEXT NOT NULL,
  server TEXT NOT NULL,           -- servers.id
  password BLOB NOT NULL,         -- sealed
  rotating INTEGER NOT NULL,      -- 1: the server and the apps may not know the password yet
  policy TEXT NOT NULL,           -- maxmemory-policy
  timeout INTEGER NOT NULL,       -- seconds until an idle connection is closed; 0: never
  notifications TEXT NOT NULL,    -- notify-keyspace-events
  state TEXT NOT NULL,            -- provisioning, available, quarantined, purging
  created_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL             -- sealed
) STRICT;
