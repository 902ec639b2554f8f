CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name TEXT NOT NULL,
  admin INTEGER NOT NULL,
  password_hash TEXT,             -- argon2id; NULL: signs in with tokens only
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE authorizations (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  description TEXT NOT NULL,
  scope TEXT NOT NULL,            -- words with a space between them
  token_hash TEXT NOT NULL,       -- SHA-256 of the token; the token itself is nowhere
  token_hint TEXT NOT NULL,
  lifetime INTEGER,               -- microseconds a token is good for; NULL: for ever
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- Every call to the API looks its token up here.
CREATE UNIQUE INDEX authorizations_by_token ON authorizations (token_hash);
CREATE INDEX authorizations_by_account ON authorizations (account);
