-- name: people
-- Who can be called on: everybody who works here.
SELECT id, name FROM operators WHERE disabled_at IS NULL ORDER BY id;

-- name: insert
-- A note calls on an operator.
INSERT INTO mentions (id, message, thread, operator, at) VALUES (:id, :message, :thread, :operator, :now);

-- name: of_message
-- Whom a note calls on, in the order in which it does.
SELECT operator FROM mentions WHERE message = :message ORDER BY id;

-- name: page
-- The mentions of one operator, newest first, before a place; all, or those not read yet.
SELECT * FROM mentions
WHERE operator = :operator AND (at, id) < (:at, :id) AND (:unread = 0 OR read_at IS NULL)
ORDER BY at DESC, id DESC
LIMIT :limit;

-- name: unread
-- How many mentions one operator has not read.
SELECT COUNT(*) AS count FROM mentions WHERE operator = :operator AND read_at IS NULL;

-- name: read
-- One mention has been read, if it is this operator's.
UPDATE mentions SET read_at = :now WHERE id = :id AND operator = :operator AND read_at IS NULL;

-- name: read_all
-- Everything has been read.
UPDATE mentions SET read_at = :now WHERE operator = :operator AND read_at IS NULL;

-- name: forget
-- The note is gone.
DELETE FROM mentions WHERE message = :message;
