-- How far people have read.

-- name: advance
-- Somebody has read a thread up to here, unless they had read further.
INSERT INTO reads (thread, kind, reader, message, "order", step, at)
VALUES (:thread, :kind, :reader, :message, :order, :step, :now)
ON CONFLICT (thread, kind, reader) DO UPDATE
SET message = excluded.message, "order" = excluded."order", step = excluded.step, at = excluded.at
WHERE (excluded."order", excluded.step) > (reads."order", reads.step);

-- name: get
-- How far somebody has read a thread.
SELECT * FROM reads WHERE thread = :thread AND kind = :kind AND reader = :reader;

-- name: unread
-- For each of these threads what its operator has not read, at most so many: what customers wrote, and notes of others. What was
-- there before the operator came is nothing new.
SELECT wanted.value AS thread, (
    SELECT COUNT(*) FROM (
        SELECT 1 FROM messages
        WHERE messages.thread = wanted.value
          AND (messages."order", messages.step) > (COALESCE(reads."order", -1), COALESCE(reads.step, -1))
          AND messages.created_at >= COALESCE((SELECT operators.created_at FROM operators WHERE operators.id = :reader), 0)
          AND ((messages.visibility = 'public' AND messages.author_kind = 'customer')
               OR (messages.visibility = 'note' AND messages.role IN ('user', 'assistant') AND messages.status = 'success'
                   AND messages.text <> '' AND NOT (messages.author_kind = 'operator' AND messages.author_id = :reader)))
        LIMIT :most
    ) AS newer
) AS unread
FROM json_each(:threads) AS wanted
LEFT JOIN reads ON reads.thread = wanted.value AND reads.kind = 'operator' AND reads.reader = :reader;

-- name: unread (postgresql)
-- The same.
SELECT wanted.value AS thread, (
    SELECT COUNT(*) FROM (
        SELECT 1 FROM messages
        WHERE messages.thread = wanted.value
          AND (messages."order", messages.step) > (COALESCE(reads."order", -1), COALESCE(reads.step, -1))
          AND messages.created_at >= COALESCE((SELECT operators.created_at FROM operators WHERE operators.id = :reader), 0)
          AND ((messages.visibility = 'public' AND messages.author_kind = 'customer')
               OR (messages.visibility = 'note' AND messages.role IN ('user', 'assistant') AND messages.status = 'success'
                   AND messages.text <> '' AND NOT (messages.author_kind = 'operator' AND messages.author_id = :reader)))
        LIMIT :most
    ) AS newer
) AS unread
FROM json_array_elements_text(CAST(:threads AS json)) AS wanted(value)
LEFT JOIN reads ON reads.thread = wanted.value AND reads.kind = 'operator' AND reads.reader = :reader;
