-- Runs that speak to the team only: what they say are notes.
ALTER TABLE runs ADD COLUMN visibility TEXT NOT NULL DEFAULT 'public';
