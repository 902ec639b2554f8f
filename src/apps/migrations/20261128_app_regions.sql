-- The region that an app was made in, by the name that its client gave: there is one machine.
ALTER TABLE apps ADD COLUMN region TEXT NOT NULL DEFAULT 'local';
