-- Timers wait in the same table as work, many of them: what is held is found without reading those.
CREATE INDEX jobs_held ON jobs (lease_until) WHERE lease_until IS NOT NULL;
