-- name: wanted
-- Whether anybody has to answer in a time that is declared, or had to.
SELECT 1 AS found FROM queues WHERE response IS NOT NULL UNION ALL SELECT 1 AS found FROM responses LIMIT 1;

-- name: get
-- By when an operator has to answer on a thread.
SELECT * FROM responses WHERE thread = :thread;

-- name: insert
-- An operator has to answer from now on; where they had to before, that stands.
INSERT INTO responses (thread, operator, queue, epoch, seq, rules, due_at, created_at)
VALUES (:thread, :operator, :queue, :epoch, :seq, :rules, :due_at, :now)
ON CONFLICT (thread) DO NOTHING;

-- name: take
-- Do the action that is due, once. A compare-and-set on the wait and its step.
UPDATE responses SET step = step + 1 WHERE thread = :thread AND seq = :seq AND step = :step;

-- name: renew
-- What comes next, and when.
UPDATE responses
SET operator = :operator, queue = :queue, epoch = :epoch, step = :step, missed = :missed, due_at = :due_at
WHERE thread = :thread AND seq = :seq;

-- name: clear
-- Nobody has to answer any more.
DELETE FROM responses WHERE thread = :thread;

-- name: end
-- The same, unless another wait has begun.
DELETE FROM responses WHERE thread = :thread AND seq = :seq;

-- name: overdue
-- Timers that should have gone off before a time.
SELECT thread FROM responses WHERE due_at < :before ORDER BY due_at LIMIT 500;

-- name: misses
-- How many customers in a row an operator has let wait.
SELECT number FROM misses WHERE operator = :operator;

-- name: miss
-- One more.
INSERT INTO misses (operator, number) VALUES (:operator, 1)
ON CONFLICT (operator) DO UPDATE SET number = misses.number + 1
RETURNING number;

-- name: forgive
-- They have answered somebody, or were sent away: counting begins again.
DELETE FROM misses WHERE operator = :operator;
