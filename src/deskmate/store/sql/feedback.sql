-- name: insert
-- Feedback, unless what it came from counts already.
INSERT INTO feedback (
    id, key, thread, message, run, agent, request, kind, about, question, prompt, prompt_message, context, draft, final, rating,
    review, by_kind, by_id, by_name, score, floor, created_at
)
VALUES (
    :id, :key, :thread, :message, :run, :agent, :request, :kind, :about, :question, :prompt, :prompt_message, :context, :draft,
    :final, :rating, :review, :by_kind, :by_id, :by_name, :score, :floor, :created_at
)
ON CONFLICT (key) DO NOTHING;

-- name: put
-- Feedback that takes the place of what the same person said of the same words before; its id stays.
INSERT INTO feedback (
    id, key, thread, message, run, agent, request, kind, about, question, prompt, prompt_message, context, draft, final, rating,
    review, by_kind, by_id, by_name, score, floor, created_at
)
VALUES (
    :id, :key, :thread, :message, :run, :agent, :request, :kind, :about, :question, :prompt, :prompt_message, :context, :draft,
    :final, :rating, :review, :by_kind, :by_id, :by_name, :score, :floor, :created_at
)
ON CONFLICT (key) DO UPDATE
SET prompt = excluded.prompt, prompt_message = excluded.prompt_message, context = excluded.context, draft = excluded.draft,
    final = excluded.final, rating = excluded.rating, review = excluded.review, by_name = excluded.by_name,
    score = excluded.score, floor = excluded.floor, created_at = excluded.created_at
RETURNING *;

-- name: said_before
-- The last public words before a position and until a time, last first.
SELECT * FROM messages
WHERE thread = :thread AND ("order", step) < (:order, :step) AND created_at <= :until
  AND status = 'success' AND visibility = 'public' AND role IN ('user', 'assistant') AND text <> ''
ORDER BY "order" DESC, step DESC
LIMIT :limit;

-- name: brought_by_request
-- Whether a message is the outcome of a request: its decision says more than the message does.
SELECT 1 AS found FROM requests WHERE thread = :thread AND outcome = :message AND draft IS NULL AND decision_kind <> 'take_over';

-- name: taken_over
-- Whether a thread was taken over at this time by the decision of a request.
SELECT 1 AS found FROM requests WHERE thread = :thread AND decision_kind = 'take_over' AND decided_at = :at;

-- name: route
-- How sure the desk was of a run.
SELECT score, floor FROM routes
WHERE thread = :thread AND run = :run AND score IS NOT NULL
ORDER BY created_at DESC LIMIT 1;

-- name: ratings
-- What customers and the team have said of the words on a thread, oldest first.
SELECT * FROM feedback WHERE thread = :thread AND kind IN ('rating', 'correction') ORDER BY created_at, id LIMIT 500;

-- name: page
-- Feedback behind a place, oldest first, with the name of the customer.
SELECT feedback.*, threads.customer AS customer, customers.name AS customer_name
FROM feedback JOIN threads ON threads.id = feedback.thread LEFT JOIN customers ON customers.id = threads.customer
WHERE (feedback.created_at, feedback.id) > (:at, :after)
  AND (CAST(:agent AS TEXT) IS NULL OR feedback.agent = :agent)
ORDER BY feedback.created_at, feedback.id
LIMIT :limit;

-- name: names
-- The names of everybody who has worked here.
SELECT name FROM operators ORDER BY id;

-- name: naming
-- Feedback that holds words of a message.
SELECT id, message, prompt_message, context FROM feedback
WHERE thread = :thread AND (message = :message OR context LIKE :pattern);

-- name: delete
-- Remove feedback.
DELETE FROM feedback WHERE id = :id;

-- name: set_context
-- The words before it, without those that were deleted.
UPDATE feedback SET context = :context WHERE id = :id;
