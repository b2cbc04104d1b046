-- The ledger: deadlines, approvals of the desk's own runs (reserve, run, record), second approvals.
ALTER TABLE requests ADD COLUMN expires_in BIGINT;
ALTER TABLE requests ADD COLUMN missed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN remind_every BIGINT;
ALTER TABLE requests ADD COLUMN remind_at BIGINT;
ALTER TABLE requests ADD COLUMN default_value TEXT;
ALTER TABLE requests ADD COLUMN talk_over TEXT NOT NULL DEFAULT 'keep';
ALTER TABLE requests ADD COLUMN args_schema TEXT;
ALTER TABLE requests ADD COLUMN executed_args TEXT;
ALTER TABLE requests ADD COLUMN executed_digest TEXT;
ALTER TABLE requests ADD COLUMN reserved_attempt BIGINT;
ALTER TABLE requests ADD COLUMN idempotent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN caused_by TEXT;
ALTER TABLE requests ADD COLUMN self_approval BIGINT NOT NULL DEFAULT 1;
ALTER TABLE requests ADD COLUMN approvers BIGINT NOT NULL DEFAULT 1;
ALTER TABLE requests ADD COLUMN first_approval TEXT;
CREATE INDEX requests_unsettled ON requests (updated_at) WHERE state IN ('applying', 'in_doubt');
CREATE INDEX requests_expiring ON requests (expires_at) WHERE state IN ('open', 'claimed') AND expires_at IS NOT NULL;
