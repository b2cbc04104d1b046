-- name: insert
-- A new canned reply; nothing where the shortcut is taken.
INSERT INTO canned (id, shortcut, shortcut_key, title, text, words, queue, created_at, updated_at)
VALUES (:id, :shortcut, :shortcut_key, :title, :text, :words, :queue, :now, :now)
ON CONFLICT (shortcut_key) DO NOTHING;

-- name: get
-- One canned reply by its id.
SELECT * FROM canned WHERE id = :id;

-- name: change
-- Other words, unless another canned reply has the shortcut.
UPDATE canned
SET shortcut = :shortcut, shortcut_key = :shortcut_key, title = :title, text = :text, words = :words, queue = :queue,
    updated_at = :now
WHERE id = :id AND NOT EXISTS (SELECT 1 FROM canned AS c WHERE c.shortcut_key = :shortcut_key AND c.id <> :id);

-- name: page
-- Canned replies for everybody and for these queues (null: for all), by shortcut, behind a given one.
SELECT * FROM canned
WHERE shortcut_key > :after
  AND (queue IS NULL OR CAST(:queues AS TEXT) IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
  AND (CAST(:q AS TEXT) IS NULL OR words LIKE :q ESCAPE '\')
ORDER BY shortcut_key
LIMIT :limit;

-- name: page (postgresql)
-- The same.
SELECT * FROM canned
WHERE shortcut_key > :after
  AND (queue IS NULL OR CAST(:queues AS TEXT) IS NULL OR queue IN (SELECT json_array_elements_text(CAST(:queues AS json))))
  AND (CAST(:q AS TEXT) IS NULL OR words LIKE :q ESCAPE '\')
ORDER BY shortcut_key
LIMIT :limit;

-- name: delete
-- Remove a canned reply.
DELETE FROM canned WHERE id = :id;
