-- What people answer again and again, suggested for the FAQ.

-- name: asked_before
-- Who has spoken last before a message, of the customer and the people: the words that it answers, where they are the customer's.
SELECT * FROM messages
WHERE thread = :thread AND ("order" < :order OR ("order" = :order AND step < :step))
  AND visibility = 'public' AND status = 'success' AND author_kind IN ('customer', 'operator') AND text <> ''
ORDER BY "order" DESC, step DESC LIMIT 1;

-- name: holding
-- The topics that have a word, those asked last first.
SELECT suggestion FROM suggestion_words WHERE word = :word ORDER BY at DESC LIMIT :limit;

-- name: get
-- One suggestion by its id.
SELECT * FROM suggestions WHERE id = :id;

-- name: questions
-- What was asked and answered on a topic, newest first.
SELECT * FROM suggestion_questions WHERE suggestion = :suggestion ORDER BY at DESC, id DESC LIMIT :limit;

-- name: times
-- How many customers have asked it.
SELECT COUNT(DISTINCT customer) AS times FROM suggestion_questions WHERE suggestion = :suggestion;

-- name: knows
-- Whether a customer's message is counted already.
SELECT 1 FROM suggestion_questions WHERE message = :message;

-- name: gather
-- A topic that was asked for the first time.
INSERT INTO suggestions (id, state, created_at, last_at) VALUES (:id, 'gathering', :now, :now);

-- name: count
-- One more question on a topic; nothing where the message is counted already.
INSERT INTO suggestion_questions
    (id, suggestion, thread, customer, message, reply, question, answer, operator, operator_name, at)
VALUES (:id, :suggestion, :thread, :customer, :message, :reply, :question, :answer, :operator, :operator_name, :at)
ON CONFLICT (message) DO NOTHING;

-- name: word
-- A word that a topic is found by.
INSERT INTO suggestion_words (word, question, suggestion, thread, at) VALUES (:word, :question, :suggestion, :thread, :at)
ON CONFLICT (question, word) DO NOTHING;

-- name: asked
-- A topic was asked again.
UPDATE suggestions SET last_at = :now, version = version + 1 WHERE id = :id;

-- name: open
-- Asked often enough: it is suggested now, in these words. A compare-and-set.
UPDATE suggestions
SET state = 'open', asked = :asked, answered = :answered, opened_at = :now, version = version + 1
WHERE id = :id AND state = 'gathering';

-- name: decide
-- Accepted or dismissed, unless somebody was faster. A compare-and-set.
UPDATE suggestions
SET state = :state, question = :question, answer = :answer, reason = :reason, version = version + 1,
    decided_kind = :by_kind, decided_by = :by, decided_name = :by_name, decided_at = :now
WHERE id = :id AND state = 'open';

-- name: take_back
-- What was accepted is dismissed after all.
UPDATE suggestions
SET state = 'dismissed', version = version + 1,
    decided_kind = :by_kind, decided_by = :by, decided_name = :by_name, decided_at = :now
WHERE id = :id AND state = 'accepted';

-- name: page
-- Suggestions of a state, those opened last first, behind a given one.
SELECT * FROM suggestions
WHERE state = :state AND (opened_at < :at OR (opened_at = :at AND id < :after))
ORDER BY opened_at DESC, id DESC
LIMIT :limit;

-- name: forget_words
-- Nobody is found any more by the words of a message that was deleted.
DELETE FROM suggestion_words
WHERE question IN (SELECT id FROM suggestion_questions WHERE message = :message OR reply = :message);

-- name: forget_questions
-- A message that was deleted, a question or an answer, counts no more.
DELETE FROM suggestion_questions WHERE message = :message OR reply = :message;

-- name: drop_words
-- The words of topics that too few have asked, and nobody for long.
DELETE FROM suggestion_words
WHERE suggestion IN (SELECT id FROM suggestions WHERE state = 'gathering' AND last_at < :before ORDER BY last_at LIMIT :limit);

-- name: drop_questions
-- Their questions.
DELETE FROM suggestion_questions
WHERE suggestion IN (SELECT id FROM suggestions WHERE state = 'gathering' AND last_at < :before ORDER BY last_at LIMIT :limit);

-- name: drop
-- The topics themselves.
DELETE FROM suggestions
WHERE id IN (SELECT id FROM suggestions WHERE state = 'gathering' AND last_at < :before ORDER BY last_at LIMIT :limit);
