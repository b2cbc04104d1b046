-- name: enqueue
-- A job for a row, once. Enqueued again it becomes due at the new time, and whoever works on it now will not end it.
INSERT INTO jobs (id, kind, ref, lane, thread, priority, due_at, created_at)
VALUES (:id, :kind, :ref, :lane, :thread, :priority, :due_at, :now)
ON CONFLICT (kind, ref) DO UPDATE
SET due_at = excluded.due_at, lane = excluded.lane, lease_by = NULL, lease_until = NULL, attempt = 0, error = NULL;

-- name: claim
-- The most urgent due jobs of these lanes that nobody holds, taken for a while.
UPDATE jobs
SET lease_by = :lease_by, lease_until = :lease_until, attempt = attempt + 1
WHERE id IN (
    SELECT id FROM jobs
    WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
      AND (lane = '' OR lane IN (SELECT value FROM json_each(:lanes)))
    ORDER BY priority DESC, due_at, id
    LIMIT :limit
)
RETURNING id, kind, ref, thread, attempt;

-- name: claim (postgresql)
-- The same; rows that another worker is taking are passed over.
UPDATE jobs
SET lease_by = :lease_by, lease_until = :lease_until, attempt = attempt + 1
WHERE id IN (
    SELECT id FROM jobs
    WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
      AND (lane = '' OR lane IN (SELECT json_array_elements_text(CAST(:lanes AS json))))
    ORDER BY priority DESC, due_at, id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, ref, thread, attempt;

-- name: renew
-- A sign of life of whoever holds the job.
UPDATE jobs SET lease_until = :lease_until WHERE id = :id AND lease_by = :lease_by;

-- name: finish
-- The job is done, unless it was enqueued again meanwhile.
DELETE FROM jobs WHERE id = :id AND lease_by = :lease_by;

-- name: postpone
-- Give the job back until a later time.
UPDATE jobs SET due_at = :due_at, lease_by = NULL, lease_until = NULL, error = :error WHERE id = :id AND lease_by = :lease_by;

-- name: hasten
-- What waits for this thread may start now.
UPDATE jobs SET due_at = :now WHERE thread = :thread AND lease_by IS NULL AND due_at > :now AND kind = 'run';

-- name: cancel
-- Withdraw a job.
DELETE FROM jobs WHERE kind = :kind AND ref = :ref;

-- name: next_due
-- When the next job of these lanes can be taken: the first that nobody holds, or the first whose lease ends.
SELECT MIN(at) AS at FROM (
    SELECT * FROM (
        SELECT due_at AS at FROM jobs
        WHERE lease_until IS NULL AND (lane = '' OR lane IN (SELECT value FROM json_each(:lanes)))
        ORDER BY due_at LIMIT 1
    ) AS free
    UNION ALL
    SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS at FROM jobs
    WHERE lease_until IS NOT NULL AND (lane = '' OR lane IN (SELECT value FROM json_each(:lanes)))
) AS firsts;

-- name: next_due (postgresql)
-- The same.
SELECT MIN(at) AS at FROM (
    SELECT * FROM (
        SELECT due_at AS at FROM jobs
        WHERE lease_until IS NULL AND (lane = '' OR lane IN (SELECT json_array_elements_text(CAST(:lanes AS json))))
        ORDER BY due_at LIMIT 1
    ) AS free
    UNION ALL
    SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS at FROM jobs
    WHERE lease_until IS NOT NULL AND (lane = '' OR lane IN (SELECT json_array_elements_text(CAST(:lanes AS json))))
) AS firsts;

-- name: stranded
-- Queued runs whose agent is not among the registered ones, by agent.
SELECT agent, COUNT(*) AS runs FROM runs WHERE state = 'queued' GROUP BY agent ORDER BY agent;
