-- A postdeploy script may set up apps, whose postdeploy scripts may too: who asked for whom.
ALTER TABLE app_setups ADD COLUMN manifest TEXT NOT NULL DEFAULT '';  -- app.json's SHA-256, in hex
ALTER TABLE app_setups ADD COLUMN parent TEXT;  -- the setup whose postdeploy script asked for it
