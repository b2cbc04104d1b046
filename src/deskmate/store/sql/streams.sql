-- name: append
-- One piece of a message that is being written; `start` counts characters.
INSERT INTO deltas (message, start, text) VALUES (:message, :start, :text);

-- name: text
-- The pieces of a message so far, in order.
SELECT start, text FROM deltas WHERE message = :message ORDER BY start;

-- name: since
-- The pieces of a message at or after an offset.
SELECT start, text FROM deltas WHERE message = :message AND start >= :start ORDER BY start;

-- name: clear
-- The message is finished and holds its text itself.
DELETE FROM deltas WHERE message = :message;

-- name: pending
-- The messages of a thread that are being written.
SELECT id, thread, visibility, run FROM messages WHERE thread = :thread AND status = 'pending';

-- name: pending_of_customer
-- The messages that are being written for one customer.
SELECT messages.id, messages.thread, messages.visibility, messages.run
FROM messages JOIN threads ON threads.id = messages.thread
WHERE messages.status = 'pending' AND threads.customer = :customer;

-- name: pending_all
-- Every message that is being written.
SELECT id, thread, visibility, run FROM messages WHERE status = 'pending';
