-- name: insert
-- Word to one operator over one channel, unless they have had it.
INSERT INTO notifications (
    id, key, operator, channel, kind, thread, request, text, urgent, state, due_at, sent_at, created_at
)
VALUES (
    :id, :key, :operator, :channel, :kind, :thread, :request, :text, :urgent, :state, :due_at, :sent_at, :now
)
ON CONFLICT (key, operator, channel) DO NOTHING;

-- name: get
-- One notification by its id.
SELECT * FROM notifications WHERE id = :id;

-- name: page
-- What an operator was told in the inbox, newest first, before a place; all, or what is not read yet.
SELECT * FROM notifications
WHERE operator = :operator AND channel = 'inbox' AND (created_at, id) < (:at, :id) AND (:unread = 0 OR read_at IS NULL)
ORDER BY created_at DESC, id DESC
LIMIT :limit;

-- name: dead
-- What could not be sent to anybody, newest first, before a place.
SELECT * FROM notifications
WHERE state = 'dead' AND (created_at, id) < (:at, :id)
ORDER BY created_at DESC, id DESC
LIMIT :limit;

-- name: unread
-- How much of what an operator was told in the inbox they have not read.
SELECT COUNT(*) AS count FROM notifications WHERE operator = :operator AND channel = 'inbox' AND read_at IS NULL;

-- name: read
-- One has been read, if it is this operator's.
UPDATE notifications SET read_at = :now WHERE id = :id AND operator = :operator AND read_at IS NULL;

-- name: read_all
-- Everything has been read.
UPDATE notifications SET read_at = :now WHERE operator = :operator AND channel = 'inbox' AND read_at IS NULL;

-- name: take
-- Begin an attempt to send it, unless somebody else is at it. The number of the attempt is what its end has to name.
UPDATE notifications SET attempts = attempts + 1, sending_until = :until
WHERE id = :id AND state = 'queued' AND due_at <= :now AND (sending_until IS NULL OR sending_until <= :now)
RETURNING *;

-- name: sent
-- This attempt arrived.
UPDATE notifications SET state = 'sent', sent_at = :now, sending_until = NULL, error = NULL
WHERE id = :id AND state = 'queued' AND attempts = :attempts;

-- name: failed
-- This attempt failed: it is tried again then, or never.
UPDATE notifications SET state = :state, due_at = :due_at, sending_until = NULL, error = :error
WHERE id = :id AND state = 'queued' AND attempts = :attempts;

-- name: postpone
-- It is not sent before this time.
UPDATE notifications SET due_at = :due_at WHERE id = :id AND state = 'queued';

-- name: drop
-- There is nothing to tell any more.
UPDATE notifications SET state = 'dropped', sending_until = NULL WHERE id = :id AND state = 'queued';

-- name: again
-- What nobody tries to send any more is tried once more, from the first attempt.
UPDATE notifications SET state = 'queued', attempts = 0, due_at = :now, sending_until = NULL
WHERE id = :id AND state = 'dead';

-- name: overdue
-- What should have been sent by now, and has not.
SELECT id, thread FROM notifications
WHERE state = 'queued' AND due_at <= :before AND (sending_until IS NULL OR sending_until <= :before)
ORDER BY due_at
LIMIT 1000;

-- name: preferences
-- What an operator wants for themselves.
SELECT rules FROM notification_preferences WHERE operator = :operator;

-- name: all_preferences
-- What operators want for themselves who work here.
SELECT operator, rules FROM notification_preferences
WHERE operator IN (SELECT id FROM operators WHERE disabled_at IS NULL);

-- name: prefer
-- They want something else now.
INSERT INTO notification_preferences (operator, rules, changed_at) VALUES (:operator, :rules, :now)
ON CONFLICT (operator) DO UPDATE SET rules = excluded.rules, changed_at = excluded.changed_at;
