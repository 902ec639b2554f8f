CREATE TABLE pipelines (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  owner TEXT NOT NULL REFERENCES accounts(id),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (owner, name)
) STRICT;

-- An app is in one pipeline at most.
CREATE TABLE pipeline_couplings (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL UNIQUE REFERENCES apps(id) ON DELETE CASCADE,
  pipeline TEXT NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE,
  stage TEXT NOT NULL CHECK (stage IN ('test', 'review', 'development', 'staging', 'production')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pipeline_couplings_by_pipeline ON pipeline_couplings (pipeline);

CREATE TABLE pipeline_config_vars (
  pipeline TEXT NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  config BLOB NOT NULL,           -- a JSON object, sealed under "pipeline-config/<pipeline>/<stage>"
  PRIMARY KEY (pipeline, stage)
) STRICT;

-- What is promoted is fixed when it is asked for; the source app may go, the record stays.
CREATE TABLE promotions (
  id TEXT PRIMARY KEY,
  pipeline TEXT NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE,
  source TEXT NOT NULL,           -- an app
  source_release TEXT NOT NULL,
  slug TEXT NOT NULL,
  description TEXT NOT NULL,      -- of the releases to make
  user TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX promotions_by_pipeline ON promotions (pipeline);

-- The id of the release is chosen before the release is made: after a crash it says whether it was.
CREATE TABLE promotion_targets (
  id TEXT PRIMARY KEY,
  promotion TEXT NOT NULL REFERENCES promotions(id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  release TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
  error_message TEXT,
  UNIQUE (promotion, app)
) STRICT;
CREATE INDEX promotion_targets_pending ON promotion_targets (promotion) WHERE status = 'pending';
