-- name: insert
-- A new run, waiting to be taken.
INSERT INTO runs (id, thread, agent, epoch, prompt, prompt_order, visibility, pinned, state, attempt, created_at, updated_at)
VALUES (:id, :thread, :agent, :epoch, :prompt, :prompt_order, :visibility, :pinned, 'queued', 0, :now, :now)
RETURNING *;

-- name: get
-- One run by its id.
SELECT * FROM runs WHERE id = :id;

-- name: of_message
-- The runs that asked people about the calls of a message, or were answered with it, newest first.
SELECT * FROM runs
WHERE id IN (
    SELECT run FROM requests
    WHERE thread = :thread AND call_message IS NOT NULL AND (call_message = :message OR outcome = :message)
)
ORDER BY created_at DESC, id DESC;

-- name: live
-- The runs of a thread that have not ended, oldest first.
SELECT * FROM runs WHERE thread = :thread AND state IN ('queued', 'running', 'paused') ORDER BY created_at, id;

-- name: take
-- Start, or start again after the holder's lease ran out. Gives the run; no row when somebody else was faster.
UPDATE runs
SET state = 'running', attempt = attempt + 1, lease_by = :lease_by, lease_until = :lease_until,
    prompt = :prompt, prompt_order = :prompt_order, updated_at = :now
WHERE id = :id AND attempt = :attempt AND (state = 'queued' OR (state = 'running' AND lease_until < :now))
RETURNING *;

-- name: hold
-- The fence: the run may write only while it runs, in this attempt, in the epoch it began with. Renews the lease.
UPDATE runs
SET lease_until = :lease_until
WHERE id = :id AND attempt = :attempt AND state = 'running'
  AND epoch = (SELECT threads.epoch FROM threads WHERE threads.id = runs.thread);

-- name: enter
-- A running run that has changed its thread's epoch itself goes on in the new one.
UPDATE runs SET epoch = :epoch WHERE id = :id AND attempt = :attempt AND state = 'running';

-- name: leave
-- End or pause a running run, by the attempt that holds it.
UPDATE runs
SET state = :state, error = :error, lease_by = NULL, lease_until = NULL, updated_at = :now
WHERE id = :id AND attempt = :attempt AND state = 'running';

-- name: requeue
-- A paused run goes on, or a failed one is tried again.
UPDATE runs SET state = 'queued', error = NULL, updated_at = :now WHERE id = :id AND state = :state;

-- name: cancel
-- End a run from outside, whatever it is doing.
UPDATE runs
SET state = 'cancelled', error = :reason, lease_by = NULL, lease_until = NULL, updated_at = :now
WHERE id = :id AND state IN ('queued', 'running', 'paused');

-- name: unattended
-- Runs that should be worked on, and for which nobody will come: they wait, or their holder's lease is over, and have no job.
SELECT id, agent, thread FROM (
    SELECT id, agent, thread FROM runs WHERE state = 'queued'
    UNION ALL
    SELECT id, agent, thread FROM runs WHERE state = 'running' AND lease_until < :now
) AS idle
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.kind = 'run' AND jobs.ref = idle.id)
LIMIT 100;
