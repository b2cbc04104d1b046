-- name: insert
-- A file; the same content under the same name is the same file, which is then kept a while longer. Tells its id.
INSERT INTO files (id, hash, filename, media_type, size, storage, thread, added_by_kind, added_by, touched_at, created_at)
VALUES (:id, :hash, :filename, :media_type, :size, :storage, :thread, :added_by_kind, :added_by, :now, :now)
ON CONFLICT (hash, filename) DO UPDATE SET touched_at = excluded.touched_at
RETURNING id;

-- name: get
-- One file, and how many messages name it.
SELECT files.*, (SELECT COUNT(*) FROM message_files WHERE message_files.file = files.id) AS messages
FROM files WHERE files.id = :id;

-- name: lock
-- One file, for the rest of this transaction. SQLite has one writer, so reading is enough.
SELECT id FROM files WHERE id = :id;

-- name: lock (postgresql)
-- The same: no message can begin to name it meanwhile.
SELECT id FROM files WHERE id = :id FOR UPDATE;

-- name: by_hash
-- The file with this content and this name.
SELECT id FROM files WHERE hash = :hash AND filename = :filename;

-- name: by_storage
-- The file whose content is kept here.
SELECT id FROM files WHERE storage = :storage;

-- name: touch
-- The file is in use, or has just been.
UPDATE files SET touched_at = :now WHERE id = :id;

-- name: unused
-- Files that no message names and nobody has touched for a while, longest first.
SELECT files.*, 0 AS messages FROM files
WHERE touched_at <= :before AND NOT EXISTS (SELECT 1 FROM message_files WHERE message_files.file = files.id)
ORDER BY touched_at, id
LIMIT :limit;

-- name: shown_to
-- A message on a thread of this customer that shows them this file.
SELECT messages.* FROM message_files
JOIN messages ON messages.id = message_files.message
JOIN threads ON threads.id = messages.thread
WHERE message_files.file = :file AND (CAST(:customer AS TEXT) IS NULL OR threads.customer = :customer)
  AND messages.visibility = 'public';

-- name: of_message
-- What one message names, in the order of ids.
SELECT file, named FROM message_files WHERE message = :message ORDER BY file;

-- name: link
-- A message names a file.
INSERT INTO message_files (message, file, named) VALUES (:message, :file, :named)
ON CONFLICT (message, file) DO UPDATE SET named = excluded.named;

-- name: unlink
-- A message does not name a file any more.
DELETE FROM message_files WHERE message = :message AND file = :file;

-- name: unlink_all
-- Nothing names this file any more.
DELETE FROM message_files WHERE file = :file;

-- name: only_on_thread
-- The files that were given to this thread or that its messages name, and no message of another, in the order of ids.
SELECT files.id AS file FROM files
WHERE (files.thread = :thread OR files.id IN (
    SELECT message_files.file FROM message_files JOIN messages ON messages.id = message_files.message
    WHERE messages.thread = :thread
)) AND NOT EXISTS (
    SELECT 1 FROM message_files AS elsewhere JOIN messages AS others ON others.id = elsewhere.message
    WHERE elsewhere.file = files.id AND others.thread <> :thread
)
ORDER BY files.id;

-- name: touch_on_thread
-- The files that were given to this thread, or that its messages name, have just been in use.
UPDATE files SET touched_at = :now WHERE thread = :thread OR id IN (
    SELECT message_files.file FROM message_files JOIN messages ON messages.id = message_files.message
    WHERE messages.thread = :thread
);

-- name: delete
-- The file itself.
DELETE FROM files WHERE id = :id;

-- name: put_content
-- A content in the database.
INSERT INTO file_contents (storage, content) VALUES (:storage, :content) ON CONFLICT (storage) DO NOTHING;

-- name: content
-- A content in the database.
SELECT content FROM file_contents WHERE storage = :storage;

-- name: delete_content
-- Remove a content from the database.
DELETE FROM file_contents WHERE storage = :storage;
