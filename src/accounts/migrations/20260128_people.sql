-- SSH keys: public ones, kept so that a person's machines are known.
CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  public_key TEXT NOT NULL UNIQUE,  -- "ssh-ed25519 AAAA…", without the comment
  comment TEXT NOT NULL,
  fingerprint TEXT NOT NULL UNIQUE, -- "SHA256:…", as ssh-keygen -l writes it
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_by_account ON keys (account);

-- What a person set in a dashboard: short words and switches, as text.
CREATE TABLE preferences (
  account TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account, name)
) STRICT;

-- At most one an account: a new one takes the place of the last.
CREATE TABLE password_resets (
  account TEXT PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL UNIQUE,  -- SHA-256
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- A second factor counts once it is confirmed.
CREATE TABLE second_factors (
  account TEXT PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
  secret BLOB NOT NULL,             -- sealed under "second-factor/<account>"
  confirmed INTEGER NOT NULL,
  last_step INTEGER NOT NULL,       -- of the newest code that was taken: none is taken twice
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
  account TEXT NOT NULL REFERENCES second_factors(account) ON DELETE CASCADE,
  code_hash TEXT NOT NULL,          -- SHA-256
  PRIMARY KEY (account, code_hash)
) STRICT;
