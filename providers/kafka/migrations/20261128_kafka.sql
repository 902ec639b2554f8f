CREATE TABLE brokers (
  server TEXT PRIMARY KEY,        -- servers.id
  plan TEXT NOT NULL,             -- "shared", or the plan of the one cluster that has it
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE clusters (
  uuid TEXT PRIMARY KEY,          -- the add-on's
  name TEXT NOT NULL,             -- the add-on's
  plan TEXT NOT NULL,
  server TEXT NOT NULL,
  prefix TEXT NOT NULL,           -- "wabash-58779."; empty on a broker of its own
  user TEXT NOT NULL,             -- the common name of its certificate
  certificate BLOB NOT NULL,      -- sealed PEM, the key behind it; empty until the broker's CA is there
  former_user TEXT NOT NULL,      -- let in until the new one's certificate is with the apps
  state TEXT NOT NULL,            -- provisioning, available, quarantined, purging
  created_at INTEGER NOT NULL,
  deleted_at INTEGER              -- quarantined: since when
) STRICT;
CREATE INDEX clusters_by_server ON clusters (server);
