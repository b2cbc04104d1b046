-- name: insert
-- One piece of metered work.
INSERT INTO usage_entries (
    id, thread, run, agent, operator, provider, model, input_tokens, output_tokens, millis, input_price, output_price, rate,
    cost_nanos, currency, customer, queue, request, begun_at, corrects, reason, created_at
)
VALUES (
    :id, :thread, :run, :agent, :operator, :provider, :model, :input_tokens, :output_tokens, :millis, :input_price, :output_price,
    :rate, :cost_nanos, :currency, :customer, :queue, :request, :begun_at, :corrects, :reason, :now
);

-- name: get
-- One piece.
SELECT * FROM usage_entries WHERE id = :id;

-- name: corrected
-- How long a piece of work was, with all corrections so far.
SELECT CAST(SUM(millis) AS BIGINT) AS millis FROM usage_entries WHERE id = :id OR corrects = :id;

-- name: of_thread
-- The metered work on one thread, oldest first.
SELECT * FROM usage_entries WHERE thread = :thread ORDER BY created_at, id;

-- name: page
-- All metered work, newest first, from a place in that order.
SELECT * FROM usage_entries
WHERE created_at < :at OR (created_at = :at AND id < :id)
ORDER BY created_at DESC, id DESC
LIMIT :limit;

-- name: sums
-- What was metered in a period: quantities of what is alike in everything else.
SELECT customer, agent, operator, queue, provider, model, currency, input_price, output_price, rate,
    COUNT(*) AS entries, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens, CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
    CAST(SUM(millis) AS BIGINT) AS millis
FROM usage_entries
WHERE created_at >= :since AND created_at < :until
GROUP BY customer, agent, operator, queue, provider, model, currency, input_price, output_price, rate;

-- name: sums_of_customer
-- The same for one customer.
SELECT customer, agent, operator, queue, provider, model, currency, input_price, output_price, rate,
    COUNT(*) AS entries, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens, CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
    CAST(SUM(millis) AS BIGINT) AS millis
FROM usage_entries
WHERE customer = :customer AND created_at >= :since AND created_at < :until
GROUP BY customer, agent, operator, queue, provider, model, currency, input_price, output_price, rate;
