-- name: put
-- An escalation that happens later, in the place of one that the thread waited for.
INSERT INTO deferrals (thread, epoch, policy, asked, by_kind, by_id, by_name, due_at, created_at)
VALUES (:thread, :epoch, :policy, :asked, :by_kind, :by_id, :by_name, :due_at, :now)
ON CONFLICT (thread) DO UPDATE
SET epoch = excluded.epoch, policy = excluded.policy, asked = excluded.asked, by_kind = excluded.by_kind, by_id = excluded.by_id,
    by_name = excluded.by_name, due_at = excluded.due_at, created_at = excluded.created_at;

-- name: get
-- The escalation that a thread waits for.
SELECT * FROM deferrals WHERE thread = :thread;

-- name: postpone
-- There was no room for it when its time had come.
UPDATE deferrals SET due_at = :due_at, policy = :policy WHERE thread = :thread;

-- name: delete
-- It has happened, or people have dealt with its thread.
DELETE FROM deferrals WHERE thread = :thread;

-- name: spoken
-- Something that an operator has said to the customer since.
SELECT id FROM messages
WHERE thread = :thread AND author_kind = 'operator' AND visibility = 'public' AND created_at >= :since LIMIT 1;

-- name: overdue
-- What should have happened before a time.
SELECT thread FROM deferrals WHERE due_at < :before ORDER BY due_at LIMIT 100;

-- name: waiting
-- How many wait because of a policy.
SELECT COUNT(*) AS number FROM deferrals WHERE policy = :policy;
