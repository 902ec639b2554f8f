-- Both stay while the add-on is being brought back, and go when it is back.
ALTER TABLE addons ADD COLUMN gone_at INTEGER;      -- when it was destroyed
ALTER TABLE addons ADD COLUMN former_owner TEXT;    -- of its app, at that time
UPDATE addons SET gone_at = updated_at, former_owner = (SELECT owner FROM apps WHERE apps.id = addons.app)
  WHERE state IN ('deprovisioning', 'deprovisioned');
