-- Runs that answer the very message a program named, and no newer one.
ALTER TABLE runs ADD COLUMN pinned BIGINT NOT NULL DEFAULT 0;
