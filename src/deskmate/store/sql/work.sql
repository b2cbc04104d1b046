-- What operators are at, and the signs of it.

-- name: sign
-- Somebody types.
INSERT INTO signs (operator, thread, at) VALUES (:operator, :thread, :at) ON CONFLICT (operator, at, thread) DO NOTHING;

-- name: signs
-- The signs of typing of an operator that are to be counted now, in their order.
SELECT thread, at FROM signs WHERE operator = :operator AND at <= :up_to ORDER BY at, thread;

-- name: forget
-- They have been counted.
DELETE FROM signs WHERE operator = :operator AND at <= :up_to;

-- name: enter
-- An operator works for the first time.
INSERT INTO work (operator) VALUES (:operator) ON CONFLICT (operator) DO NOTHING;

-- name: lock
-- What an operator is at, for the rest of this transaction. SQLite has one writer, so reading is enough.
SELECT * FROM work WHERE operator = :operator;

-- name: lock (postgresql)
-- The same: whoever comes next waits until this transaction is over.
SELECT * FROM work WHERE operator = :operator FOR UPDATE;

-- name: put
-- What they are at now.
UPDATE work
SET thread = :thread, request = :request, begun = :begun, last = :last, counted = :counted, ended_on = :ended_on, ended_at = :ended_at
WHERE operator = :operator;

-- name: unseen
-- Something that this operator did and that the follower has not come to yet.
SELECT 1 AS unseen FROM events
WHERE seq > (SELECT seq FROM followers WHERE name = 'work') AND actor_kind = 'operator' AND actor_id = :operator
LIMIT 1;

-- name: forgotten
-- Operators who have a span, or signs, and no timer that would count them.
SELECT operator FROM work
WHERE thread IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.kind = 'work' AND jobs.ref = work.operator)
UNION
SELECT operator FROM signs
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.kind = 'work' AND jobs.ref = signs.operator);
