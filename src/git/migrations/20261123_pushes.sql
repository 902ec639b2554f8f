-- Pushes that git has not ended: what a control that died in the middle of one carries through.
CREATE TABLE pushes (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  commit_id TEXT NOT NULL,
  branches TEXT NOT NULL,  -- lines "<where the push found it> <branch>"
  created_at INTEGER NOT NULL
) STRICT;
