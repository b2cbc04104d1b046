-- Runs that wait for a process, so that the look for those nobody will come for reads no others.
CREATE INDEX runs_queued ON runs (created_at) WHERE state = 'queued';
