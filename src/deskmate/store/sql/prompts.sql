-- What a run answers, and what it said.

-- name: at
-- The message at a place of a thread.
SELECT * FROM messages WHERE thread = :thread AND "order" = :order AND step = :step;

-- name: newest_of_customer
-- The customer's last message.
SELECT * FROM messages
WHERE thread = :thread AND author_kind = 'customer' AND role = 'user'
ORDER BY "order" DESC, step DESC LIMIT 1;

-- name: last_of_run
-- The last message of a run, words or not.
SELECT * FROM messages
WHERE thread = :thread AND run = :run AND role IN ('assistant', 'tool') AND author_kind = 'agent' AND status = 'success'
ORDER BY "order" DESC, step DESC LIMIT 1;

-- name: newest_of_run
-- The last public words of a run.
SELECT * FROM messages
WHERE thread = :thread AND run = :run AND role = 'assistant' AND status = 'success' AND text <> ''
ORDER BY "order" DESC, step DESC LIMIT 1;

-- name: forget
-- Nothing behind this order is there any more that wants an answer, or has had one; unless a run is about to say something.
UPDATE threads
SET prompt_order = CASE WHEN prompt_order > :order THEN :order ELSE prompt_order END,
    answered_order = CASE WHEN answered_order > :order THEN :order ELSE answered_order END
WHERE id = :thread AND (prompt_order > :order OR answered_order > :order)
  AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.thread = threads.id AND runs.state IN ('queued', 'running', 'paused'));
