-- name: count
-- Use this much of a window, if so much of it is left. The row decides: whoever comes at the same time waits for it.
INSERT INTO limit_counters (policy, counted, subject, period, start, used, capacity, refill, at)
VALUES (:policy, :counted, :subject, :period, :start, :amount, :capacity, 1, :now)
ON CONFLICT (policy, counted, subject, period, start) DO UPDATE
SET used = limit_counters.used + excluded.used, capacity = excluded.capacity, at = excluded.at
WHERE limit_counters.used + :needed <= excluded.capacity
RETURNING used;

-- name: charge
-- What was used of a window after all: more than it has, if need be.
INSERT INTO limit_counters (policy, counted, subject, period, start, used, capacity, refill, at)
VALUES (:policy, :counted, :subject, :period, :start, :amount, :capacity, 1, :now)
ON CONFLICT (policy, counted, subject, period, start) DO UPDATE
SET used = limit_counters.used + excluded.used, capacity = excluded.capacity, at = excluded.at;

-- name: fill
-- Bring a bucket up to now: what came in since, and not more than it holds. One that is not there yet is full. From here on the row
-- is this transaction's own.
INSERT INTO limit_counters (policy, counted, subject, period, start, level, capacity, refill, at)
VALUES (:policy, :counted, :subject, :period, :start, :capacity, :capacity, :refill, :now)
ON CONFLICT (policy, counted, subject, period, start) DO UPDATE
SET level = CASE
        WHEN limit_counters.level >= excluded.capacity THEN excluded.capacity
        WHEN excluded.at <= limit_counters.at THEN limit_counters.level
        WHEN excluded.at - limit_counters.at > (excluded.capacity - limit_counters.level) / excluded.refill THEN excluded.capacity
        ELSE limit_counters.level + excluded.refill * (excluded.at - limit_counters.at)
    END,
    capacity = excluded.capacity,
    refill = excluded.refill,
    at = CASE WHEN excluded.at > limit_counters.at THEN excluded.at ELSE limit_counters.at END
RETURNING level;

-- name: draw
-- Use this much of a bucket that was brought up to now, if what is needed is there.
UPDATE limit_counters SET level = level - :amount
WHERE policy = :policy AND counted = :counted AND subject = :subject AND period = :period AND start = :start AND level >= :needed;

-- name: settle
-- What was used of a bucket that was brought up to now: it may be in debt then; or less than was put aside. A debt that nobody will
-- pay in this life does not grow.
UPDATE limit_counters
SET level = CASE
        WHEN level < -2000000000000000000 THEN level
        WHEN level > capacity + :amount THEN capacity
        ELSE level - :amount
    END
WHERE policy = :policy AND counted = :counted AND subject = :subject AND period = :period AND start = :start;

-- name: refuse
-- One more use was refused.
UPDATE limit_counters SET refused = refused + 1
WHERE policy = :policy AND counted = :counted AND subject = :subject AND period = :period AND start = :start;

-- name: tell
-- Say so, once in a time: a compare-and-set.
UPDATE limit_counters SET told_until = :until
WHERE policy = :policy AND counted = :counted AND subject = :subject AND period = :period AND start = :start AND told_until <= :now;

-- name: counters
-- The budgets of a policy that are in use, the most wanted first.
SELECT * FROM limit_counters
WHERE policy = :policy AND counted = :counted AND period = :period AND start = :start
ORDER BY refused DESC, used DESC, level, subject LIMIT 100;

-- name: reserve
-- Put this much aside for a run.
INSERT INTO limit_reserves (run, policy, subject, amount, thread) VALUES (:run, :policy, :subject, :amount, :thread)
ON CONFLICT (run, policy) DO NOTHING;

-- name: reserves
-- What is put aside for a run.
SELECT * FROM limit_reserves WHERE run = :run ORDER BY policy;

-- name: use_reserve
-- The run has used this much of what was put aside for it.
UPDATE limit_reserves SET amount = amount - :amount WHERE run = :run AND policy = :policy;

-- name: end_reserve
-- Nothing is put aside any more.
DELETE FROM limit_reserves WHERE run = :run AND policy = :policy;

-- name: left_reserves
-- Runs that have ended, or wait for people, and for which something is still put aside.
SELECT limit_reserves.run, limit_reserves.thread
FROM limit_reserves JOIN runs ON runs.id = limit_reserves.run
WHERE runs.state NOT IN ('queued', 'running')
ORDER BY limit_reserves.run, limit_reserves.policy LIMIT 100;

-- name: note_reason
-- Why an escalation was asked for.
INSERT INTO limit_reasons (policy, subject, thread, agent, reason, accepted, at)
VALUES (:policy, :subject, :thread, :agent, :reason, :accepted, :now);

-- name: reasons
-- Why escalations were asked for since then, on one budget: what is said most often first.
SELECT agent, reason, COUNT(*) AS number, SUM(1 - accepted) AS refused FROM limit_reasons
WHERE policy = :policy AND subject = :subject AND at >= :since
GROUP BY agent, reason ORDER BY number DESC, reason LIMIT :limit;

-- name: all_reasons
-- The same on all budgets.
SELECT policy, subject, agent, reason, COUNT(*) AS number, SUM(1 - accepted) AS refused FROM limit_reasons
WHERE at >= :since
GROUP BY policy, subject, agent, reason ORDER BY policy, subject, number DESC, reason;

-- name: old
-- Something that says nothing any more: a window that has ended, or a bucket that has been full for a while.
SELECT 1 AS old FROM limit_counters
WHERE at < :before AND ((start >= 0 AND start + period < :before)
    OR (start < 0 AND (capacity - level) / refill + at < :before))
UNION ALL SELECT 1 FROM limit_reasons WHERE at < :reasons_before
LIMIT 1;

-- name: sweep
-- Forget such counters.
DELETE FROM limit_counters
WHERE at < :before AND ((start >= 0 AND start + period < :before)
    OR (start < 0 AND (capacity - level) / refill + at < :before));

-- name: sweep_reasons
-- Forget reasons that are older than the longest window.
DELETE FROM limit_reasons WHERE at < :before;
