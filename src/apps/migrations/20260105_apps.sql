CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL REFERENCES accounts(id),
  stack TEXT NOT NULL,
  build_stack TEXT NOT NULL,
  maintenance INTEGER NOT NULL DEFAULT 0,
  buildpack_provided_description TEXT,
  repo_size INTEGER,              -- bytes
  slug_size INTEGER,              -- bytes
  released_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX apps_by_owner ON apps (owner);

-- The owner has a row as well, so that it is listed with an id of its own.
CREATE TABLE collaborators (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  account TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (app, account)
) STRICT;
CREATE INDEX collaborators_by_account ON collaborators (account);

-- Custom domains only: the default one follows from the app's name.
CREATE TABLE domains (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  hostname TEXT NOT NULL UNIQUE,  -- lower case
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX domains_by_app ON domains (app);

-- Features that somebody switched; the others are as features.cpp says.
CREATE TABLE features (
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (app, name)
) STRICT;

CREATE TABLE buildpack_installations (
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  url TEXT NOT NULL,
  PRIMARY KEY (app, ordinal)
) STRICT;
