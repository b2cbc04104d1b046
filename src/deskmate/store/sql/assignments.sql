-- name: insert
-- One change of hands; the epoch it raised the thread to is unique.
INSERT INTO assignments (
    id, thread, epoch, cause, "to", holder, holder_name, reason, note, by_kind, by_id, by_name, queue, waited, created_at
)
VALUES (
    :id, :thread, :epoch, :cause, :to, :holder, :holder_name, :reason, :note, :by_kind, :by_id, :by_name, :queue, :waited, :now
);

-- name: move
-- Give the thread to its next holder. A compare-and-set on the epoch.
UPDATE threads
SET assignment = :to, holder = :holder, holder_name = :holder_name, assigned_at = :now, assignment_reason = :reason,
    queue = COALESCE(:queue, queue), epoch = epoch + 1, waiting_since = :waiting_since, lease_until = :lease_until,
    updated_at = :now
WHERE id = :thread AND epoch = :epoch;

-- name: lease
-- How long an operator holds this thread without a sign of life.
SELECT holder, queue, lease_until FROM threads WHERE id = :thread AND assignment = 'operator' AND lease_until IS NOT NULL;

-- name: renew_lease
-- A sign of life of whoever holds the thread.
UPDATE threads SET lease_until = :until
WHERE id = :thread AND assignment = 'operator' AND holder = :operator AND lease_until IS NOT NULL AND lease_until < :until;

-- name: end_lease
-- They have done what was asked of them: they hold the thread until somebody changes that.
UPDATE threads SET lease_until = NULL WHERE id = :thread AND lease_until IS NOT NULL;

-- name: lapsed
-- Threads whose holder gave no sign of life in time, and nobody came for them.
SELECT id AS thread FROM threads
WHERE assignment = 'operator' AND status = 'open' AND lease_until < :before AND waiting_since IS NOT NULL
LIMIT 100;

-- name: history
-- Every change of hands of a thread, oldest first.
SELECT * FROM assignments WHERE thread = :thread ORDER BY epoch;

-- name: waits
-- A person is needed on this thread since now, unless one was already.
UPDATE threads SET waiting_since = COALESCE(waiting_since, :now), updated_at = :now WHERE id = :thread;

-- name: served
-- Nobody waits for a person on this thread any more.
UPDATE threads SET waiting_since = NULL, updated_at = :now WHERE id = :thread AND waiting_since IS NOT NULL;

-- name: asks
-- The newest message that wants an answer stands at this order.
UPDATE threads SET prompt_order = :order WHERE id = :thread AND prompt_order < :order;

-- name: unanswered
-- What stands at this order has not been answered after all.
UPDATE threads SET answered_order = :order - 1 WHERE id = :thread AND answered_order >= :order;

-- name: answered
-- A run has dealt with everything up to this order.
UPDATE threads SET answered_order = :order WHERE id = :thread AND answered_order < :order;
