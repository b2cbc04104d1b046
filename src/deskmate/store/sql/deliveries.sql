-- name: insert
-- One event for one webhook, once.
INSERT INTO deliveries (id, webhook, event_seq, type, thread, state, due_at, created_at)
VALUES (:id, :webhook, :event_seq, :type, :thread, 'queued', :now, :now)
ON CONFLICT (webhook, event_seq) DO NOTHING;

-- name: get
-- One delivery.
SELECT * FROM deliveries WHERE id = :id;

-- name: event
-- The event that is delivered.
SELECT * FROM events WHERE seq = :seq;

-- name: page
-- Deliveries of a webhook, newest first, before a given one.
SELECT * FROM deliveries
WHERE webhook = :webhook AND id < :before AND (state = :state OR :state = '')
ORDER BY id DESC
LIMIT :limit;

-- name: active
-- How many of a webhook are on their way, or about to be.
SELECT COUNT(*) AS number FROM deliveries WHERE webhook = :webhook AND state IN ('ready', 'sending');

-- name: promote
-- The next that are due of a webhook may be sent.
UPDATE deliveries SET state = 'ready', lease_until = :now
WHERE id IN (
    SELECT id FROM deliveries
    WHERE webhook = :webhook AND state = 'queued' AND due_at <= :now
    ORDER BY due_at, id
    LIMIT :limit
)
RETURNING id, thread;

-- name: next_due
-- When the next of a webhook is to be sent.
SELECT MIN(due_at) AS at FROM deliveries WHERE webhook = :webhook AND state = 'queued';

-- name: take
-- Somebody sends it, for as long as the lease holds. A compare-and-set.
UPDATE deliveries SET state = 'sending', lease_by = :lease_by, lease_until = :lease_until, tries = tries + 1
WHERE id = :id AND (state = 'ready' OR (state = 'sending' AND lease_until <= :now))
RETURNING *;

-- name: finish
-- What came of sending it, unless its lease ran out and somebody else has it now. A compare-and-set.
UPDATE deliveries
SET state = :state, due_at = :due_at, attempts = :attempts, lease_by = NULL, lease_until = NULL, finished_at = :finished_at
WHERE id = :id AND lease_by = :lease_by;

-- name: release
-- It was not sent after all, and that was no attempt.
UPDATE deliveries SET state = 'queued', tries = tries - 1, lease_by = NULL, lease_until = NULL
WHERE id = :id AND lease_by = :lease_by;

-- name: put_back
-- It waits until its webhook is enabled again.
UPDATE deliveries SET state = 'queued', lease_by = NULL, lease_until = NULL WHERE webhook = :webhook AND state = 'ready';

-- name: replay
-- Send it again, from the first delay on, unless somebody sends it now. A compare-and-set.
UPDATE deliveries SET state = 'queued', tries = 0, due_at = :now, finished_at = NULL
WHERE id = :id AND state NOT IN ('ready', 'sending');

-- name: replay_all
-- Send those of a time again that came to this end.
UPDATE deliveries SET state = 'queued', tries = 0, due_at = :now, finished_at = NULL
WHERE webhook = :webhook AND state IN ('delivered', 'dead') AND (state = :state OR :state = '')
    AND created_at >= :since AND created_at < :until;

-- name: stuck
-- What is on its way and has no job: whoever sent it is gone, and nobody would come for it.
SELECT id, thread FROM deliveries
WHERE lease_until IS NOT NULL AND lease_until < :before
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.kind = 'delivery' AND jobs.ref = deliveries.id)
ORDER BY lease_until
LIMIT 500;

-- name: overdue
-- Webhooks that are owed something for too long while nothing of theirs is on its way.
SELECT id FROM webhooks
WHERE state = 'enabled'
    AND EXISTS (SELECT 1 FROM deliveries WHERE webhook = webhooks.id AND state = 'queued' AND due_at < :before)
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook = webhooks.id AND state IN ('ready', 'sending'))
ORDER BY id;

-- name: old
-- Whether there is anything that was finished before this time.
SELECT id FROM deliveries WHERE finished_at < :before LIMIT 1;

-- name: sweep
-- Forget what was finished before this time.
DELETE FROM deliveries WHERE finished_at < :before;

-- name: delete_of_webhook
-- Forget what a webhook was owed.
DELETE FROM deliveries WHERE webhook = :webhook;
