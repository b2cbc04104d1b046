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
