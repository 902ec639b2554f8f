-- In the database of each provider, not in control's.

-- A server that the provider keeps running in a sandbox.
CREATE TABLE servers (
  id TEXT PRIMARY KEY,            -- 12 hexadecimal digits; names its volume
  slot INTEGER NOT NULL UNIQUE,   -- its range of user ids
  sandbox TEXT NOT NULL,          -- the last one that was to be started; empty before the first
  address TEXT NOT NULL,          -- IPv4, kept over restarts where it can be
  wanted INTEGER NOT NULL,        -- 1: runs, and is started again when it ends
  created_at INTEGER NOT NULL
) STRICT;

-- What lets the provider call the platform about one add-on. Codes and tokens are sealed.
CREATE TABLE grants (
  uuid TEXT PRIMARY KEY,
  code BLOB,                      -- not exchanged yet
  access BLOB,
  refresh BLOB,
  expires_at INTEGER NOT NULL
) STRICT;

-- What the platform is still to be told. A later message for the same path takes the place of an
-- earlier one.
CREATE TABLE messages (
  uuid TEXT NOT NULL,
  path TEXT NOT NULL,             -- below /addons/<uuid>
  method TEXT NOT NULL,
  body BLOB NOT NULL,             -- sealed JSON
  version INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (uuid, path)
) STRICT;
