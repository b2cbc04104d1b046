-- name: put
-- The words of a finished message.
INSERT INTO searchable (message, thread, words) VALUES (:message, :thread, :words)
ON CONFLICT (message) DO UPDATE SET words = excluded.words;

-- name: put (postgresql)
-- The same; the words are lexemes as they are, without a parser or a dictionary in between.
INSERT INTO searchable (message, thread, words) VALUES (:message, :thread, array_to_tsvector(string_to_array(:words, ' ')))
ON CONFLICT (message) DO UPDATE SET words = excluded.words;

-- name: remove
-- The message cannot be found by its words any more.
DELETE FROM searchable WHERE message = :message;

-- name: embed
-- What a message means to a model.
INSERT INTO embeddings (message, model, dim, vector) VALUES (:message, :model, :dim, :vector)
ON CONFLICT (message, model) DO UPDATE SET dim = excluded.dim, vector = excluded.vector;

-- name: remove_embeddings
-- What a message means is not known any more.
DELETE FROM embeddings WHERE message = :message;

-- name: by_words
-- Finished messages with any of the words, the best match first: of a thread, of a customer, or (both null) of all; before a
-- position of a thread, where one is named; of hidden ones and of tools only what the reader may see.
SELECT messages.* FROM searchable_words
JOIN searchable ON searchable.id = searchable_words.rowid
JOIN messages ON messages.id = searchable.message
JOIN threads ON threads.id = messages.thread
WHERE searchable_words MATCH
    'words : (' || (SELECT group_concat('"' || value || '"', ' OR ') FROM json_each(:words)) || ')'
    || COALESCE(' AND thread : "' || replace(:thread, '"', '') || '"', '')
  AND (:thread IS NULL OR messages.thread = :thread)
  AND (:customer IS NULL OR threads.customer = :customer)
  AND (:before IS NULL OR messages.thread <> :before OR (messages."order", messages.step) < (:order, :step))
  AND messages.status = 'success'
  AND (:hidden = 1 OR (messages.visibility = 'public' AND (:spoken = 0 OR messages.role IN ('user', 'assistant')
       OR (messages.role = 'system' AND messages.author_kind = 'system'))))
ORDER BY bm25(searchable_words), messages.id DESC
LIMIT :limit;

-- name: by_words (postgresql)
-- The same.
SELECT messages.* FROM searchable
JOIN messages ON messages.id = searchable.message
JOIN threads ON threads.id = messages.thread
CROSS JOIN (
    SELECT CAST(string_agg(quote_literal(word), ' | ') AS tsquery) AS query
    FROM json_array_elements_text(CAST(:words AS json)) AS word
) AS wanted
WHERE searchable.words @@ wanted.query
  AND (CAST(:thread AS TEXT) IS NULL OR searchable.thread = :thread)
  AND (CAST(:customer AS TEXT) IS NULL OR threads.customer = :customer)
  AND (CAST(:before AS TEXT) IS NULL OR messages.thread <> :before OR (messages."order", messages.step) < (:order, :step))
  AND messages.status = 'success'
  AND (:hidden = 1 OR (messages.visibility = 'public' AND (:spoken = 0 OR messages.role IN ('user', 'assistant')
       OR (messages.role = 'system' AND messages.author_kind = 'system'))))
ORDER BY ts_rank(searchable.words, wanted.query, 1) DESC, messages.id DESC
LIMIT :limit;

-- name: embedded
-- The embeddings of finished messages by one model, newest first, under the same conditions.
SELECT embeddings.message, embeddings.vector FROM embeddings
JOIN messages ON messages.id = embeddings.message
JOIN threads ON threads.id = messages.thread
WHERE embeddings.model = :model AND embeddings.dim = :dim
  AND (CAST(:thread AS TEXT) IS NULL OR messages.thread = :thread)
  AND (CAST(:customer AS TEXT) IS NULL OR threads.customer = :customer)
  AND (CAST(:before AS TEXT) IS NULL OR messages.thread <> :before OR (messages."order", messages.step) < (:order, :step))
  AND messages.status = 'success'
  AND (:hidden = 1 OR (messages.visibility = 'public' AND (:spoken = 0 OR messages.role IN ('user', 'assistant')
       OR (messages.role = 'system' AND messages.author_kind = 'system'))))
ORDER BY messages.created_at DESC, messages.id DESC
LIMIT :limit;

-- name: around
-- The finished messages of a thread from an order to another, under the same conditions.
SELECT messages.* FROM messages
WHERE messages.thread = :thread AND messages."order" >= :from_order AND messages."order" <= :to_order
  AND (CAST(:before AS TEXT) IS NULL OR messages.thread <> :before OR (messages."order", messages.step) < (:order, :step))
  AND messages.status = 'success'
  AND (:hidden = 1 OR (messages.visibility = 'public' AND (:spoken = 0 OR messages.role IN ('user', 'assistant')
       OR (messages.role = 'system' AND messages.author_kind = 'system'))))
ORDER BY messages."order", messages.step
LIMIT :limit;

-- name: forget_subject
-- The thread cannot be found by its subject any more.
DELETE FROM subject_words WHERE thread = :thread;

-- name: put_subject
-- The words of a subject.
INSERT INTO subject_words (thread, word) SELECT :thread, value FROM json_each(:words);

-- name: put_subject (postgresql)
-- The same.
INSERT INTO subject_words (thread, word) SELECT :thread, word FROM json_array_elements_text(CAST(:words AS json)) AS word;

-- name: forget_customer
-- The threads of the customer cannot be found by their name any more.
DELETE FROM customer_words WHERE customer = :customer;

-- name: put_customer
-- The words of a name.
INSERT INTO customer_words (customer, word) SELECT :customer, value FROM json_each(:words) WHERE true ON CONFLICT DO NOTHING;

-- name: put_customer (postgresql)
-- The same.
INSERT INTO customer_words (customer, word) SELECT :customer, word FROM json_array_elements_text(CAST(:words AS json)) AS word
ON CONFLICT DO NOTHING;
