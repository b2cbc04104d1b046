-- name: queues
-- The queues that have a chain.
SELECT name FROM queues WHERE chain IS NOT NULL;

-- name: any_running
-- Whether any chain runs.
SELECT 1 AS found FROM chains WHERE state = 'running' LIMIT 1;

-- name: insert
-- A chain begins, unless one runs on this thread or request already, or this event has begun one.
INSERT INTO chains (
    id, thread, request, about, queue, policy, steps, step, round, due_at, epoch, seq, created_at
)
VALUES (:id, :thread, :request, :about, :queue, :policy, :steps, :step, :round, :due_at, :epoch, :seq, :now)
ON CONFLICT DO NOTHING;

-- name: get
-- One chain.
SELECT * FROM chains WHERE id = :id;

-- name: of_thread
-- The chains of a thread and of its requests, newest first.
SELECT * FROM chains WHERE thread = :thread ORDER BY id DESC LIMIT :limit;

-- name: running_of_thread
-- The chains of a thread, and of its requests, that run.
SELECT * FROM chains WHERE thread = :thread AND state = 'running' ORDER BY id;

-- name: running
-- All that run, the one that is due first before the others.
SELECT * FROM chains WHERE state = 'running' ORDER BY due_at LIMIT :limit;

-- name: take
-- Do the step that is due, once. A compare-and-set on the step and the round.
UPDATE chains SET step = :next, round = :next_round, due_at = :due_at
WHERE id = :id AND state = 'running' AND step = :step AND round = :round;

-- name: keep
-- Who was paged, and where the chain has put what it is about.
UPDATE chains SET paged = :paged, queue = :queue, epoch = :epoch, given = :given WHERE id = :id;

-- name: end
-- It goes on no more, by whose action and why.
UPDATE chains
SET state = :state, reason = :reason, ended_by_kind = :by_kind, ended_by = :by, ended_by_name = :by_name, ended_at = :now
WHERE id = :id AND state = 'running';

-- name: overdue
-- Steps that should have been done before a time.
SELECT id, thread FROM chains WHERE state = 'running' AND due_at < :before ORDER BY due_at LIMIT 500;
