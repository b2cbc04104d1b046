-- Approvals that stand in messages which programs store: the id that the program gave them.
ALTER TABLE requests ADD COLUMN approval TEXT;
CREATE INDEX requests_by_approval ON requests (thread, approval) WHERE approval IS NOT NULL;
