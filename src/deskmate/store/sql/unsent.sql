-- name: put
-- What an operator has typed, in place of what they had typed before.
INSERT INTO unsent (operator, thread, visibility, text, updated_at) VALUES (:operator, :thread, :visibility, :text, :now)
ON CONFLICT (operator, thread, visibility) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at;

-- name: of_thread
-- What one operator has typed on a thread.
SELECT * FROM unsent WHERE operator = :operator AND thread = :thread ORDER BY visibility DESC;

-- name: clear
-- It was sent, or thrown away; with a visibility of null, both.
DELETE FROM unsent
WHERE operator = :operator AND thread = :thread AND (CAST(:visibility AS TEXT) IS NULL OR visibility = :visibility);
