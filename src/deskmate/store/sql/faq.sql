-- The team's own answers, beside the files of the FAQ.

-- name: version
-- It rises with every change of the entries.
SELECT version FROM faq;

-- name: changed
-- The entries are others from now on.
UPDATE faq SET version = version + 1;

-- name: insert
-- A new entry.
INSERT INTO faq_entries (id, question, answer, suggestion, created_at, by_kind, by_id, by_name)
VALUES (:id, :question, :answer, :suggestion, :now, :by_kind, :by, :by_name);

-- name: word
-- Another way to ask it.
INSERT INTO faq_wordings (entry, place, text, thread) VALUES (:entry, :place, :text, :thread);

-- name: all
-- All entries in force, in the order they were accepted.
SELECT * FROM faq_entries WHERE deleted_at IS NULL ORDER BY created_at, id LIMIT :limit;

-- name: all_wordings
-- The other wordings of all entries in force.
SELECT w.entry, w.text FROM faq_wordings AS w
JOIN faq_entries AS e ON e.id = w.entry
WHERE e.deleted_at IS NULL ORDER BY w.entry, w.place;

-- name: page
-- Entries in force, the newest first, behind a given one.
SELECT * FROM faq_entries
WHERE deleted_at IS NULL AND (created_at < :at OR (created_at = :at AND id < :after))
ORDER BY created_at DESC, id DESC
LIMIT :limit;

-- name: wordings
-- The other wordings of an entry.
SELECT text FROM faq_wordings WHERE entry = :entry ORDER BY place;

-- name: delete
-- Taken back, and which suggestion it came of; nothing where it was taken back before.
UPDATE faq_entries SET deleted_at = :now WHERE id = :id AND deleted_at IS NULL RETURNING suggestion;

-- name: delete_wordings
-- The customers' words go with it.
DELETE FROM faq_wordings WHERE entry = :id;
