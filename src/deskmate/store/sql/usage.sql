-- name: insert
-- One piece of metered work.
INSERT INTO usage_entries (id, thread, run, agent, operator, provider, model, input_tokens, output_tokens, seconds, cost_minor, currency, created_at)
VALUES (:id, :thread, :run, :agent, :operator, :provider, :model, :input_tokens, :output_tokens, :seconds, :cost_minor, :currency, :now);

-- name: of_thread
-- The metered work on one thread, oldest first.
SELECT * FROM usage_entries WHERE thread = :thread ORDER BY created_at, id;

-- name: page
-- All metered work, newest first, from a place in that order.
SELECT * FROM usage_entries
WHERE created_at < :at OR (created_at = :at AND id < :id)
ORDER BY created_at DESC, id DESC
LIMIT :limit;
