-- 1: what runs was started for another plan, and is to be started again.
ALTER TABLE servers ADD COLUMN outdated INTEGER NOT NULL DEFAULT 0;
