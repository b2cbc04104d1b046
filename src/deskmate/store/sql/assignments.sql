-- name: insert
-- One change of hands; the epoch it raised the thread to is unique.
INSERT INTO assignments (id, thread, epoch, cause, "to", holder, holder_name, reason, note, by_kind, by_id, by_name, created_at)
VALUES (:id, :thread, :epoch, :cause, :to, :holder, :holder_name, :reason, :note, :by_kind, :by_id, :by_name, :now);

-- name: move
-- Give the thread to its next holder. A compare-and-set on the epoch.
UPDATE threads
SET assignment = :to, holder = :holder, holder_name = :holder_name, assigned_at = :now, assignment_reason = :reason,
    queue = COALESCE(:queue, queue), epoch = epoch + 1, waiting_since = :waiting_since, updated_at = :now
WHERE id = :thread AND epoch = :epoch;

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
