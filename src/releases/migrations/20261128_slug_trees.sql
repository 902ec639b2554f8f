-- The slug's top directory among the objects. Empty before the upload, and in a slug of an older
-- server until somebody needs its files: then the archive that its checksum names is what there is.
ALTER TABLE slugs ADD COLUMN tree TEXT NOT NULL DEFAULT '';
CREATE INDEX slugs_by_checksum ON slugs (checksum);
