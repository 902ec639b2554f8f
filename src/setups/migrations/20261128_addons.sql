-- The add-ons that a setup's app.json asks for, in its order.
CREATE TABLE app_setup_addons (
  setup TEXT NOT NULL REFERENCES app_setups(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  plan TEXT NOT NULL,
  attachment TEXT NOT NULL,  -- the name to attach it by; empty: the service's own
  options BLOB NOT NULL,     -- sealed JSON
  name TEXT NOT NULL,        -- the add-on's, chosen before it is asked for: so it is never made twice
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (setup, position)
) STRICT;
