-- The inbox: walks along one list (migrations/*/0014.inbox.sql), and what else is asked of the threads that are met.

-- name: newest
-- The next places of a list, newest first, behind a place.
SELECT thread, newest AS at FROM listed
WHERE list = :list AND status = :status AND (newest, thread) < (:at, :id)
ORDER BY newest DESC, thread DESC
LIMIT :limit;

-- name: activity
-- The same, last written to first.
SELECT thread, activity AS at FROM listed
WHERE list = :list AND status = :status AND (activity, thread) < (:at, :id)
ORDER BY activity DESC, thread DESC
LIMIT :limit;

-- name: waiting
-- The same, longest waiting first; what waits for nobody stands last, newest first.
SELECT thread, waiting AS at FROM listed
WHERE list = :list AND status = :status AND (waiting, thread) > (:at, :id)
ORDER BY waiting, thread
LIMIT :limit;

-- name: priority
-- The same, urgent first, then longest waiting.
SELECT thread, priority AS at FROM listed
WHERE list = :list AND status = :status AND (priority, thread) > (:at, :id)
ORDER BY priority, thread
LIMIT :limit;

-- name: due
-- The same, whose request expires first; what never expires stands last, newest first.
SELECT thread, due AS at FROM listed
WHERE list = :list AND status = :status AND (due, thread) > (:at, :id)
ORDER BY due, thread
LIMIT :limit;

-- name: among
-- The places that these threads have on a list, in any order.
SELECT thread, status,
    CASE :sort
        WHEN 'newest' THEN newest WHEN 'activity' THEN activity WHEN 'waiting' THEN waiting WHEN 'priority' THEN priority ELSE due
    END AS at
FROM listed
WHERE list = :list AND thread IN (SELECT value FROM json_each(:threads));

-- name: among (postgresql)
-- The same.
SELECT thread, status,
    CASE :sort
        WHEN 'newest' THEN newest WHEN 'activity' THEN activity WHEN 'waiting' THEN waiting WHEN 'priority' THEN priority ELSE due
    END AS at
FROM listed
WHERE list = :list AND thread = ANY (ARRAY(SELECT json_array_elements_text(CAST(:threads AS json))));

-- name: threads
-- Threads by their ids.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.id IN (SELECT value FROM json_each(:threads));

-- name: threads (postgresql)
-- The same.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.id = ANY (ARRAY(SELECT json_array_elements_text(CAST(:threads AS json))));

-- name: sizes
-- How many threads lists have, counted up to a bound.
SELECT wanted.value AS list,
    (SELECT COUNT(*) FROM (SELECT 1 FROM listed WHERE list = wanted.value AND status = :status LIMIT :bound) AS counted) AS number
FROM json_each(:lists) AS wanted;

-- name: sizes (postgresql)
-- The same.
SELECT wanted.list,
    (SELECT COUNT(*) FROM (SELECT 1 FROM listed WHERE listed.list = wanted.list AND status = :status LIMIT :bound) AS counted)
        AS number
FROM json_array_elements_text(CAST(:lists AS json)) AS wanted (list);

-- name: queues
-- How many threads of each queue wait and are nobody's, counted up to a bound; of a hundred queues, by name.
WITH RECURSIVE found (list) AS (
    SELECT (SELECT MIN(list) FROM listed WHERE list > 'unassigned:' AND list < 'unassigned;')
    UNION ALL
    SELECT (SELECT MIN(list) FROM listed WHERE list > found.list AND list < 'unassigned;') FROM found WHERE found.list IS NOT NULL
    LIMIT 101
)
SELECT substr(found.list, 12) AS queue,
    (SELECT COUNT(*) FROM (SELECT 1 FROM listed WHERE listed.list = found.list AND status = :status LIMIT :bound) AS counted)
        AS number
FROM found WHERE found.list IS NOT NULL;

-- name: queues (postgresql)
-- The same.
WITH RECURSIVE found (list, number) AS (
    SELECT (SELECT list FROM listed WHERE list > 'unassigned:' AND list < 'unassigned;' ORDER BY list LIMIT 1), 1
    UNION ALL
    SELECT (SELECT list FROM listed WHERE list > found.list AND list < 'unassigned;' ORDER BY list LIMIT 1), found.number + 1
    FROM found WHERE found.list IS NOT NULL AND found.number < 101
)
SELECT substr(found.list, 12) AS queue,
    (SELECT COUNT(*) FROM (SELECT 1 FROM listed WHERE listed.list = found.list AND status = :status LIMIT :bound) AS counted)
        AS number
FROM found WHERE found.list IS NOT NULL;

-- name: saying
-- Which of these threads have all of the words, anywhere: in the subject, the customer's name, messages that the reader may see.
SELECT threads.id AS thread
FROM json_each(:threads) AS met
JOIN threads ON threads.id = met.value
WHERE NOT EXISTS (
    SELECT 1 FROM json_each(:words) AS word
    WHERE NOT EXISTS (
        SELECT 1 FROM subject_words
        WHERE subject_words.thread = threads.id AND subject_words.word >= json_extract(word.value, '$.word')
          AND subject_words.word < json_extract(word.value, '$.beyond'))
      AND NOT EXISTS (
        SELECT 1 FROM customer_words
        WHERE customer_words.customer = threads.customer AND customer_words.word >= json_extract(word.value, '$.word')
          AND customer_words.word < json_extract(word.value, '$.beyond'))
      AND NOT EXISTS (
        SELECT 1 FROM searchable
        WHERE searchable.thread = threads.id
          AND instr(
              ' ' || searchable.words || ' ',
              ' ' || json_extract(word.value, '$.word') || iif(json_extract(word.value, '$.prefix'), '', ' ')) > 0
          AND (:hidden = 1 OR EXISTS (
              SELECT 1 FROM messages WHERE messages.id = searchable.message AND messages.visibility = 'public'
                AND (messages.role IN ('user', 'assistant') OR (messages.role = 'system' AND messages.author_kind = 'system'))))));

-- name: saying (postgresql)
-- The same.
SELECT threads.id AS thread
FROM threads
WHERE threads.id = ANY (ARRAY(SELECT json_array_elements_text(CAST(:threads AS json)))) AND NOT EXISTS (
    SELECT 1 FROM json_to_recordset(CAST(:words AS json)) AS wanted (word text, beyond text, prefix boolean)
    WHERE NOT EXISTS (
        SELECT 1 FROM subject_words
        WHERE subject_words.thread = threads.id AND subject_words.word >= wanted.word AND subject_words.word < wanted.beyond)
      AND NOT EXISTS (
        SELECT 1 FROM customer_words
        WHERE customer_words.customer = threads.customer AND customer_words.word >= wanted.word
          AND customer_words.word < wanted.beyond)
      AND NOT EXISTS (
        SELECT 1 FROM searchable
        WHERE searchable.thread = threads.id
          AND searchable.words @@ CAST(quote_literal(wanted.word) || CASE WHEN wanted.prefix THEN ':*' ELSE '' END AS tsquery)
          AND (:hidden = 1 OR EXISTS (
              SELECT 1 FROM messages WHERE messages.id = searchable.message AND messages.visibility = 'public'
                AND (messages.role IN ('user', 'assistant') OR (messages.role = 'system' AND messages.author_kind = 'system'))))));

-- name: showing
-- Which of these threads show a text as it is, in the subject, the customer's name or the newest message.
SELECT threads.id AS thread
FROM json_each(:threads) AS met
JOIN threads ON threads.id = met.value
LEFT JOIN customers ON customers.id = threads.customer
WHERE lower(COALESCE(threads.subject, '')) LIKE :text ESCAPE '\'
   OR lower(COALESCE(customers.name, '')) LIKE :text ESCAPE '\'
   OR (lower(COALESCE(threads.preview_text, '')) LIKE :text ESCAPE '\' AND (:hidden = 1 OR threads.preview_visibility = 'public'));

-- name: showing (postgresql)
-- The same.
SELECT threads.id AS thread
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.id = ANY (ARRAY(SELECT json_array_elements_text(CAST(:threads AS json))))
  AND (lower(COALESCE(threads.subject, '')) LIKE :text ESCAPE '\'
       OR lower(COALESCE(customers.name, '')) LIKE :text ESCAPE '\'
       OR (lower(COALESCE(threads.preview_text, '')) LIKE :text ESCAPE '\'
           AND (:hidden = 1 OR threads.preview_visibility = 'public')));

-- name: with_word
-- Threads with a word, by subject, customer and messages, at most so many by each; null for a customer who has none.
SELECT thread FROM (
    SELECT thread FROM subject_words WHERE word >= :word AND word < :beyond LIMIT :limit) AS subjects
UNION ALL
SELECT thread FROM (
    SELECT threads.id AS thread
    FROM (SELECT customer FROM customer_words WHERE word >= :word AND word < :beyond LIMIT :limit) AS people
    LEFT JOIN threads ON threads.customer = people.customer
    LIMIT :limit) AS theirs
UNION ALL
SELECT thread FROM (
    SELECT searchable.thread FROM searchable_words JOIN searchable ON searchable.id = searchable_words.rowid
    WHERE searchable_words MATCH 'words : "' || :word || '"' || iif(:prefix, ' *', '')
      AND (:hidden = 1 OR EXISTS (
          SELECT 1 FROM messages WHERE messages.id = searchable.message AND messages.visibility = 'public'
            AND (messages.role IN ('user', 'assistant') OR (messages.role = 'system' AND messages.author_kind = 'system'))))
    LIMIT :limit) AS said;

-- name: with_word (postgresql)
-- The same.
SELECT thread FROM (
    SELECT thread FROM subject_words WHERE word >= :word AND word < :beyond LIMIT :limit) AS subjects
UNION ALL
SELECT thread FROM (
    SELECT threads.id AS thread
    FROM (SELECT customer FROM customer_words WHERE word >= :word AND word < :beyond LIMIT :limit) AS people
    LEFT JOIN threads ON threads.customer = people.customer
    LIMIT :limit) AS theirs
UNION ALL
SELECT thread FROM (
    SELECT searchable.thread FROM searchable
    WHERE searchable.words @@ CAST(quote_literal(:word) || CASE WHEN :prefix = 1 THEN ':*' ELSE '' END AS tsquery)
      AND (:hidden = 1 OR EXISTS (
          SELECT 1 FROM messages WHERE messages.id = searchable.message AND messages.visibility = 'public'
            AND (messages.role IN ('user', 'assistant') OR (messages.role = 'system' AND messages.author_kind = 'system'))))
    LIMIT :limit) AS said;

-- name: exactly
-- The thread of this id, and those of the customer of this id or address; at most so many.
SELECT id AS thread FROM threads WHERE id = :q
UNION ALL
SELECT thread FROM (
    SELECT id AS thread FROM threads WHERE customer = :q ORDER BY created_at DESC, id DESC LIMIT :limit) AS theirs
UNION ALL
SELECT thread FROM (
    SELECT threads.id AS thread FROM customers JOIN threads ON threads.customer = customers.id
    WHERE :hidden = 1 AND lower(customers.email) = lower(CAST(:q AS TEXT)) AND customers.email IS NOT NULL LIMIT :limit) AS written;
