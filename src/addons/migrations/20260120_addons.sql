-- The catalog. `manifest` is JSON without its secrets, which are sealed under "addon-service/<id>".
CREATE TABLE addon_services (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  manifest TEXT NOT NULL,
  secrets BLOB NOT NULL,          -- a JSON object: password, sso_salt, client_secret
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- A plan that left its manifest stays for the add-ons that have it, and is not offered.
CREATE TABLE plans (
  id TEXT PRIMARY KEY,
  service TEXT NOT NULL REFERENCES addon_services (id) ON DELETE CASCADE,
  name TEXT NOT NULL,             -- without the service's
  ordinal INTEGER NOT NULL,       -- in the manifest
  human_name TEXT NOT NULL,
  description TEXT NOT NULL,
  state TEXT NOT NULL,
  cents INTEGER NOT NULL,
  unit TEXT NOT NULL,
  contract INTEGER NOT NULL,
  is_default INTEGER NOT NULL,
  visible INTEGER NOT NULL,
  offered INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (service, name)
) STRICT;

-- An add-on outlives its app until its provider has let go of it: no foreign key to apps. Rows that
-- are deprovisioned stay for a week, so that who waits for one hears how it ended.
CREATE TABLE addons (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  app TEXT NOT NULL,
  app_name TEXT NOT NULL,         -- for when the app is gone
  service TEXT NOT NULL REFERENCES addon_services (id),
  plan TEXT NOT NULL REFERENCES plans (id),
  user TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('provisioning', 'provisioned', 'deprovisioning', 'deprovisioned')),
  -- What is still to be asked of the provider; 'wait': it said "later", and `due_at` is the end of that.
  task TEXT NOT NULL CHECK (task IN ('none', 'provision', 'wait', 'update', 'deprovision')),
  wanted_plan TEXT REFERENCES plans (id),
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  problem TEXT NOT NULL DEFAULT '',       -- of the last attempt
  confirmed INTEGER NOT NULL DEFAULT 0,   -- the provider said that it has it
  announced INTEGER NOT NULL DEFAULT 0,   -- its app has a release that says "Attach"
  provider_id TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',       -- the provider's, for people
  options BLOB NOT NULL,                  -- a JSON object, sealed under "addon-options/<id>"
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX addons_by_name ON addons (name) WHERE state != 'deprovisioned';
CREATE INDEX addons_by_app ON addons (app);
CREATE INDEX addons_due ON addons (due_at) WHERE task != 'none';

-- The vars that the provider set, named as in its manifest; a namespace ("credential:x") has its own.
CREATE TABLE addon_config (
  addon TEXT NOT NULL REFERENCES addons (id) ON DELETE CASCADE,
  namespace TEXT NOT NULL,
  vars BLOB NOT NULL,             -- a JSON object, sealed under "addon-config/<addon>/<namespace>"
  PRIMARY KEY (addon, namespace)
) STRICT;

CREATE TABLE addon_attachments (
  id TEXT PRIMARY KEY,
  addon TEXT NOT NULL REFERENCES addons (id) ON DELETE CASCADE,
  app TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  namespace TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (app, name)
) STRICT;
CREATE INDEX addon_attachments_by_addon ON addon_attachments (addon);

-- Releases that follow from what is in the tables above, and that no app has yet: written with the
-- change, removed with the release.
CREATE TABLE addon_releases (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  app TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  description TEXT NOT NULL,
  user TEXT NOT NULL,             -- an account, or a service whose provider did it
  command INTEGER NOT NULL        -- with the release command
) STRICT;

CREATE TABLE addon_grants (
  code_hash TEXT PRIMARY KEY,     -- SHA-256
  addon TEXT NOT NULL REFERENCES addons (id) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT;

-- Tokens of providers, SHA-256. A refresh token has no end but its add-on's.
CREATE TABLE addon_tokens (
  token_hash TEXT PRIMARY KEY,
  addon TEXT NOT NULL REFERENCES addons (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
  expires_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX addon_tokens_by_addon ON addon_tokens (addon);
