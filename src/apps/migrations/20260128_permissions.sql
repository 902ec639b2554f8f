-- What a collaborator may do: words with a space between them. The owner's row does not count.
ALTER TABLE collaborators ADD COLUMN permissions TEXT NOT NULL DEFAULT 'view deploy operate';

-- An app on its way from one owner to another. At most one of an app is pending.
CREATE TABLE app_transfers (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  owner TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  recipient TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'declined')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX app_transfers_pending ON app_transfers (app) WHERE state = 'pending';
CREATE INDEX app_transfers_by_owner ON app_transfers (owner);
CREATE INDEX app_transfers_by_recipient ON app_transfers (recipient);
