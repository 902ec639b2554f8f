CREATE TABLE setups_cron (
  app TEXT PRIMARY KEY REFERENCES apps(id) ON DELETE CASCADE,
  slug TEXT NOT NULL  -- whose app.json was read last
) STRICT;
