-- The board: what of a period was passed on, decided, taken, failed and worked is found by its time. Each of these indexes is partial
-- and narrow: an entry is written when a person acts, when an agent passes something on, or when a run has failed. What a customer
-- writes and what the AI answers costs nothing more.
CREATE INDEX requests_escalated ON requests (created_at, id) WHERE kind = 'escalation';
CREATE INDEX requests_decided ON requests (decided_at) WHERE decided_by_kind = 'operator';
CREATE INDEX assignments_taken ON assignments (created_at) WHERE waited IS NOT NULL;
CREATE INDEX messages_of_people ON messages (thread) WHERE author_kind = 'operator';
CREATE INDEX runs_failed ON runs (updated_at, id) WHERE state = 'failed';
CREATE INDEX threads_due ON threads (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX usage_of_people ON usage_entries (created_at) WHERE operator IS NOT NULL;
