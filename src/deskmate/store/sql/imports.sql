-- name: get
-- What is known of a conversation of a source.
SELECT * FROM imports WHERE source = :source AND conversation = :conversation;

-- name: insert
-- A conversation that begins to come in. Answers 0 when somebody else was faster.
INSERT INTO imports (source, conversation, digest, thread, stored, created_at)
VALUES (:source, :conversation, :digest, :thread, 0, :now)
ON CONFLICT (source, conversation) DO NOTHING;

-- name: advance
-- More messages are in. A compare-and-set on how many there were.
UPDATE imports SET stored = :stored WHERE source = :source AND conversation = :conversation AND stored = :was;

-- name: messages
-- The messages that came in with the import of a thread, in their order.
SELECT id FROM messages WHERE thread = :thread ORDER BY "order", step LIMIT :stored;

-- name: date_message
-- When a message was written, as its source has it.
UPDATE messages SET created_at = :at, updated_at = :at WHERE id = :id;

-- name: date_thread
-- When a thread began, and when its shown message was written, as their source has it.
UPDATE threads
SET created_at = CASE WHEN created_at < :began THEN created_at ELSE :began END,
    preview_at = (SELECT messages.created_at FROM messages WHERE messages.id = threads.preview_message)
WHERE id = :id;
