-- Who wants to hear of what. Of an app or of an add-on; neither is a foreign key, since the news
-- that it was destroyed is still to be delivered then. Sealed under "webhook/<id>": the URL may hold
-- a token, and the others are secrets.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('app', 'addon')),
  owner TEXT NOT NULL,
  url BLOB NOT NULL,
  secret BLOB NOT NULL,
  authorization BLOB,
  entities TEXT NOT NULL,           -- "api:release dyno"
  level TEXT NOT NULL CHECK (level IN ('notify', 'sync')),
  gone INTEGER NOT NULL DEFAULT 0,  -- its owner is: it goes when nothing waits any more
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_by_owner ON webhooks (owner_kind, owner);

-- What happened, once for all who hear of it.
CREATE TABLE webhook_events (
  id TEXT PRIMARY KEY,
  entity TEXT NOT NULL,
  payload TEXT NOT NULL,            -- a JSON object: action, actor, data, …
  created_at INTEGER NOT NULL
) STRICT;

-- An event on its way to a webhook. With a `next_at` it waits, else it is settled.
CREATE TABLE webhook_deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event TEXT NOT NULL REFERENCES webhook_events (id),
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  attempt TEXT,                     -- the last one: its id, what it came to, when
  attempt_code INTEGER,
  attempt_error TEXT,
  attempt_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook, number);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, number)
  WHERE next_at IS NOT NULL;
