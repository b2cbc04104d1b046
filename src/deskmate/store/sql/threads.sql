-- name: insert
-- A new thread, held by the AI.
INSERT INTO threads (
    id, customer, subject, summary, status, assignment, assigned_at, assignment_reason, mode, priority, queue, tags, language,
    metadata, created_at, updated_at
)
VALUES (
    :id, :customer, :subject, :summary, 'open', 'ai', :now, :reason, :mode, :priority, :queue, :tags, :language,
    :metadata, :now, :now
);

-- name: get
-- One thread by its id, with the name of its customer, and whether there is any limit: whoever has to ask more then asks.
SELECT threads.*, customers.name AS customer_name, EXISTS (SELECT 1 FROM policies WHERE kind = 'limit') AS limited
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.id = :id;

-- name: lock
-- The same, at the beginning of a write. SQLite has one writer, so reading is enough.
SELECT threads.*, customers.name AS customer_name, EXISTS (SELECT 1 FROM policies WHERE kind = 'limit') AS limited
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.id = :id;

-- name: lock (postgresql)
-- The same, at the beginning of a write: whoever comes next waits until this transaction is over.
SELECT threads.*, customers.name AS customer_name, EXISTS (SELECT 1 FROM policies WHERE kind = 'limit') AS limited
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.id = :id
FOR UPDATE OF threads;

-- name: lock_of_request
-- The thread of a request, at the beginning of a write.
SELECT id FROM threads WHERE id = (SELECT thread FROM requests WHERE id = :request);

-- name: lock_of_request (postgresql)
-- The same: whoever comes next waits until this transaction is over.
SELECT id FROM threads WHERE id = (SELECT thread FROM requests WHERE id = :request) FOR UPDATE;

-- name: next_event
-- Count one more event of a thread.
UPDATE threads SET event_seq = event_seq + 1, updated_at = :now WHERE id = :id RETURNING event_seq, customer;

-- name: change
-- The facts that people set.
UPDATE threads
SET subject = :subject, summary = :summary, status = :status, snoozed_until = :snoozed_until, mode = :mode, priority = :priority,
    tags = :tags, language = :language, metadata = :metadata, updated_at = :now
WHERE id = :id;

-- name: overdue_snoozes
-- Snoozed threads that should have opened before a time.
SELECT id AS thread FROM threads WHERE status = 'snoozed' AND snoozed_until IS NOT NULL AND snoozed_until < :before ORDER BY snoozed_until;

-- name: preview
-- The message that lists of threads show.
UPDATE threads
SET preview_message = :message, preview_text = :text, preview_author_kind = :author_kind, preview_author_name = :author_name,
    preview_visibility = :visibility, preview_at = :at
WHERE id = :id;

-- name: newest
-- Threads, newest first, before a place; with a status, or (null) with any.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE (threads.created_at, threads.id) < (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
ORDER BY threads.created_at DESC, threads.id DESC
LIMIT :limit;

-- name: oldest
-- The same, oldest first, behind a place.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE (threads.created_at, threads.id) > (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
ORDER BY threads.created_at, threads.id
LIMIT :limit;

-- name: newest_of_customer
-- The threads of one customer, newest first, before a place.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.customer = :customer AND (threads.created_at, threads.id) < (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
ORDER BY threads.created_at DESC, threads.id DESC
LIMIT :limit;

-- name: oldest_of_customer
-- The same, oldest first, behind a place.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE threads.customer = :customer AND (threads.created_at, threads.id) > (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
ORDER BY threads.created_at, threads.id
LIMIT :limit;

-- name: abort_streams
-- Nothing more is streamed on a thread.
UPDATE streams SET status = 'aborted', ended_at = :now WHERE thread = :id AND status = 'streaming';

-- name: delete_deltas
-- The pieces of what was streamed on a thread.
DELETE FROM deltas WHERE stream IN (SELECT id FROM streams WHERE thread = :id);

-- name: delete_streams
-- What was streamed on a thread.
DELETE FROM streams WHERE thread = :id;

-- name: delete_attachments
-- Which files the messages of a thread name.
DELETE FROM message_files WHERE message IN (SELECT id FROM messages WHERE thread = :id);

-- name: delete_searchable
-- The words by which the messages of a thread are found.
DELETE FROM searchable WHERE thread = :id;

-- name: delete_embeddings
-- What the messages of a thread mean to models.
DELETE FROM embeddings WHERE message IN (SELECT id FROM messages WHERE thread = :id);

-- name: delete_mentions
-- Whom the notes of a thread call on.
DELETE FROM mentions WHERE thread = :id;

-- name: delete_unsent
-- What operators have typed on a thread and not sent.
DELETE FROM unsent WHERE thread = :id;

-- name: delete_messages
-- All messages of a thread.
DELETE FROM messages WHERE thread = :id;

-- name: delete_jobs
-- The work planned for a thread.
DELETE FROM jobs WHERE thread = :id;

-- name: delete_choices
-- Who was chosen for a thread and its requests.
DELETE FROM choices WHERE thread = :id;

-- name: delete_answer_links
-- Links by which the requests of a thread could be decided.
DELETE FROM answer_links WHERE request IN (SELECT id FROM requests WHERE thread = :id);

-- name: delete_requests
-- What was asked of people on a thread.
DELETE FROM requests WHERE thread = :id;

-- name: delete_runs
-- What agents did on a thread.
DELETE FROM runs WHERE thread = :id;

-- name: delete_assignments
-- Who held a thread.
DELETE FROM assignments WHERE thread = :id;

-- name: delete_routes
-- Who was to respond on a thread, and why.
DELETE FROM routes WHERE thread = :id;

-- name: delete_examples
-- What was to be learned from a thread.
DELETE FROM examples WHERE thread = :id;

-- name: delete_usage
-- What was metered on a thread.
DELETE FROM usage_entries WHERE thread = :id;

-- name: delete_signs
-- What operators typed on a thread, as far as it is not counted yet.
DELETE FROM signs WHERE thread = :id;

-- name: delete_reads
-- How far people had read a thread.
DELETE FROM reads WHERE thread = :id;

-- name: delete_viewers
-- Who was on a thread.
DELETE FROM viewers WHERE thread = :id;

-- name: delete_notifications
-- What the team was told of a thread.
DELETE FROM notifications WHERE thread = :id;

-- name: delete_deliveries
-- What webhooks were to be told of a thread; that it was deleted they are told afterwards.
DELETE FROM deliveries WHERE thread = :id;

-- name: delete_slack_posts
-- Which messages in Slack stood for requests of a thread.
DELETE FROM slack_posts WHERE thread = :id;

-- name: delete_limit_reserves
-- What was put aside for the runs of a thread.
DELETE FROM limit_reserves WHERE thread = :id;

-- name: delete_limit_reasons
-- Why people were asked to take a thread.
DELETE FROM limit_reasons WHERE thread = :id;

-- name: delete_deferrals
-- The escalation that a thread waits for.
DELETE FROM deferrals WHERE thread = :id;

-- name: delete_clocks
-- How long who owed the next word on a thread.
DELETE FROM clocks WHERE thread = :id;

-- name: delete_clock_outcomes
-- What became of its targets.
DELETE FROM clock_outcomes WHERE thread = :id;

-- name: delete_responses
-- By when an operator had to answer on a thread.
DELETE FROM responses WHERE thread = :id;

-- name: delete_suggestion_words
-- What topics are found by, of the words of a thread.
DELETE FROM suggestion_words WHERE thread = :id;

-- name: delete_suggestions
-- Topics that nobody but the customer of this thread has asked. What was accepted is in the team's own words.
DELETE FROM suggestions
WHERE id IN (SELECT suggestion FROM suggestion_questions WHERE thread = :id) AND question IS NULL
  AND NOT EXISTS (SELECT 1 FROM suggestion_questions AS q WHERE q.suggestion = suggestions.id AND q.thread <> :id);

-- name: delete_suggestion_questions
-- What was asked and answered on a thread, as it was counted.
DELETE FROM suggestion_questions WHERE thread = :id;

-- name: delete_faq_version
-- Agents have to forget the words of a thread where they know any.
UPDATE faq SET version = version + 1 WHERE EXISTS (SELECT 1 FROM faq_wordings WHERE thread = :id);

-- name: delete_faq_wordings
-- Other ways to ask what the FAQ answers, of the words of a thread.
DELETE FROM faq_wordings WHERE thread = :id;

-- name: delete_chains
-- Who was told of a thread, one after the other.
DELETE FROM chains WHERE thread = :id;

-- name: delete_feedback
-- What people made of the words on a thread.
DELETE FROM feedback WHERE thread = :id;

-- name: delete_events
-- What happened on a thread; that it was deleted stays.
DELETE FROM events WHERE thread = :id AND type <> 'thread.deleted';

-- name: delete
-- The thread itself.
DELETE FROM threads WHERE id = :id;
