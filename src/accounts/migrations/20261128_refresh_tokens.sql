-- What an authorization's access token is renewed with: at most one each, which goes with it.
CREATE TABLE refresh_tokens (
  authorization TEXT PRIMARY KEY REFERENCES authorizations(id) ON DELETE CASCADE,
  id TEXT NOT NULL UNIQUE,
  token_hash TEXT NOT NULL UNIQUE,  -- SHA-256
  token_hint TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
