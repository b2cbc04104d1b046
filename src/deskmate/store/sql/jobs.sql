-- name: enqueue
-- A job for a row, once. Enqueued again it becomes due at the new time, and whoever works on it now will not end it.
INSERT INTO jobs (id, kind, ref, lane, thread, priority, due_at, created_at)
VALUES (:id, :kind, :ref, :lane, :thread, :priority, :due_at, :now)
ON CONFLICT (kind, ref) DO UPDATE
SET due_at = excluded.due_at, lane = excluded.lane, thread = excluded.thread, priority = excluded.priority,
    lease_by = NULL, lease_until = NULL, attempt = 0, error = NULL;

-- name: attend
-- A job for a row that has none.
INSERT INTO jobs (id, kind, ref, lane, thread, priority, due_at, created_at)
VALUES (:id, :kind, :ref, '', :thread, 0, :now, :now)
ON CONFLICT (kind, ref) DO NOTHING;

-- name: claim
-- The most urgent due jobs of these kinds and lanes that nobody holds, taken for a while.
UPDATE jobs
SET lease_by = :lease_by, lease_until = :lease_until, attempt = attempt + 1
WHERE id IN (
    SELECT id FROM jobs
    WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
      AND kind IN (SELECT value FROM json_each(:kinds))
      AND (lane = '' OR lane IN (SELECT value FROM json_each(:lanes)))
    ORDER BY priority DESC, due_at, id
    LIMIT :limit
)
RETURNING id, kind, ref, lane, thread, attempt;

-- name: claim (postgresql)
-- The same; rows that another worker is taking are passed over. The array makes the server look once: in a plan that joins, it
-- looks again for each row, and each look locks as many more as the limit says.
UPDATE jobs
SET lease_by = :lease_by, lease_until = :lease_until, attempt = attempt + 1
WHERE id = ANY (ARRAY(
    SELECT id FROM jobs
    WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
      AND kind IN (SELECT json_array_elements_text(CAST(:kinds AS json)))
      AND (lane = '' OR lane IN (SELECT json_array_elements_text(CAST(:lanes AS json))))
    ORDER BY priority DESC, due_at, id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
))
RETURNING id, kind, ref, lane, thread, attempt;

-- name: renew
-- A sign of life of whoever holds these leases. Gives the jobs that are still theirs.
UPDATE jobs SET lease_until = :lease_until
WHERE lease_until IS NOT NULL AND lease_by IN (SELECT value FROM json_each(:leases))
RETURNING id, lease_by;

-- name: renew (postgresql)
-- The same.
UPDATE jobs SET lease_until = :lease_until
WHERE lease_until IS NOT NULL AND lease_by IN (SELECT json_array_elements_text(CAST(:leases AS json)))
RETURNING id, lease_by;

-- name: holder
-- Who works on a job.
SELECT lease_by FROM jobs WHERE id = :id;

-- name: finish
-- The job is done, unless it was enqueued again meanwhile.
DELETE FROM jobs WHERE id = :id AND lease_by = :lease_by;

-- name: postpone
-- It cannot be done yet. That was no attempt.
UPDATE jobs SET due_at = :due_at, lease_by = NULL, lease_until = NULL, attempt = attempt - 1
WHERE id = :id AND lease_by = :lease_by;

-- name: give_back
-- It was interrupted, or failed; it is tried again then.
UPDATE jobs SET due_at = :due_at, lease_by = NULL, lease_until = NULL, error = :error WHERE id = :id AND lease_by = :lease_by;

-- name: hasten
-- What waits for this thread may start now.
UPDATE jobs SET due_at = :now WHERE thread = :thread AND lease_by IS NULL AND due_at > :now AND kind = 'run';

-- name: cancel
-- Withdraw a job.
DELETE FROM jobs WHERE kind = :kind AND ref = :ref;

-- name: next_due
-- When the next job of these kinds and lanes can be taken: the first that nobody holds, or the first whose lease ends.
SELECT MIN(at) AS at FROM (
    SELECT * FROM (
        SELECT due_at AS at FROM jobs
        WHERE lease_until IS NULL AND kind IN (SELECT value FROM json_each(:kinds))
          AND (lane = '' OR lane IN (SELECT value FROM json_each(:lanes)))
        ORDER BY due_at LIMIT 1
    ) AS free
    UNION ALL
    SELECT MIN(CASE WHEN lease_until >= due_at THEN lease_until + 1 ELSE due_at END) AS at FROM jobs
    WHERE lease_until IS NOT NULL AND kind IN (SELECT value FROM json_each(:kinds))
      AND (lane = '' OR lane IN (SELECT value FROM json_each(:lanes)))
) AS firsts;

-- name: next_due (postgresql)
-- The same.
SELECT MIN(at) AS at FROM (
    SELECT * FROM (
        SELECT due_at AS at FROM jobs
        WHERE lease_until IS NULL AND kind IN (SELECT json_array_elements_text(CAST(:kinds AS json)))
          AND (lane = '' OR lane IN (SELECT json_array_elements_text(CAST(:lanes AS json))))
        ORDER BY due_at LIMIT 1
    ) AS free
    UNION ALL
    SELECT MIN(CASE WHEN lease_until >= due_at THEN lease_until + 1 ELSE due_at END) AS at FROM jobs
    WHERE lease_until IS NOT NULL AND kind IN (SELECT json_array_elements_text(CAST(:kinds AS json)))
      AND (lane = '' OR lane IN (SELECT json_array_elements_text(CAST(:lanes AS json))))
) AS firsts;

-- name: stranded
-- Queued runs whose agent is not among the registered ones, by agent.
SELECT agent, COUNT(*) AS runs FROM runs WHERE state = 'queued' GROUP BY agent ORDER BY agent;
