-- name: insert
-- A new webhook.
INSERT INTO webhooks (
    id, url, description, secret, events, queues, hidden, allow_private, state, created_at, updated_at
)
VALUES (:id, :url, :description, :secret, :events, :queues, :hidden, :allow_private, 'enabled', :now, :now);

-- name: get
-- One webhook.
SELECT * FROM webhooks WHERE id = :id;

-- name: lock
-- One webhook, for the rest of this transaction.
SELECT * FROM webhooks WHERE id = :id;

-- name: lock (postgresql)
-- The same, with the row locked: whoever decides what is sent next decides alone.
SELECT * FROM webhooks WHERE id = :id FOR UPDATE;

-- name: page
-- Webhooks in the order they were made, behind a given one.
SELECT * FROM webhooks WHERE id > :after ORDER BY id LIMIT :limit;

-- name: count
-- How many there are.
SELECT COUNT(*) AS number FROM webhooks;

-- name: listening
-- Those that are told what happens.
SELECT * FROM webhooks WHERE state = 'enabled' ORDER BY id;

-- name: change
-- Other facts.
UPDATE webhooks
SET url = :url, description = :description, events = :events, queues = :queues, hidden = :hidden, allow_private = :allow_private,
    state = :state, reason = :reason, failing_since = :failing_since, updated_at = :now
WHERE id = :id;

-- name: rotate
-- A new secret; the one before signs too, for a while.
UPDATE webhooks SET secret = :secret, old_secret = secret, old_secret_until = :until, updated_at = :now WHERE id = :id;

-- name: fared
-- How sending goes: since when it has only failed, and whether it is over.
UPDATE webhooks SET failing_since = :failing_since, state = :state, reason = :reason WHERE id = :id;

-- name: delete
-- Forget a webhook. What it was owed goes first.
DELETE FROM webhooks WHERE id = :id;

-- name: queues
-- The queues of these threads.
SELECT id, queue FROM threads WHERE id IN (SELECT value FROM json_each(:ids));

-- name: queues (postgresql)
-- The same.
SELECT id, queue FROM threads WHERE id IN (SELECT json_array_elements_text(CAST(:ids AS json)));
