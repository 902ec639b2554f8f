-- What the app's add-ons gave it. NULL in rows that are older than add-ons: nothing.
ALTER TABLE releases ADD COLUMN addon_config BLOB;  -- a JSON object, sealed under "addon-config/<id>"
ALTER TABLE releases ADD COLUMN addon_plans TEXT NOT NULL DEFAULT '';  -- with a space between them
