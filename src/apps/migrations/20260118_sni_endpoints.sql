-- A certificate for an app's domains: the chain is public, the key is sealed.
CREATE TABLE sni_endpoints (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  certificate_chain TEXT NOT NULL,  -- PEM, the server's own certificate first
  private_key BLOB NOT NULL,        -- PEM, sealed under "sni-endpoint/<id>"
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (app, name)
) STRICT;

ALTER TABLE domains ADD COLUMN sni_endpoint TEXT REFERENCES sni_endpoints(id) ON DELETE SET NULL;
CREATE INDEX domains_by_sni_endpoint ON domains (sni_endpoint);
