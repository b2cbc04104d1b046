-- name: newest
-- The classifier of an agent that is in force.
SELECT * FROM classifiers WHERE agent = :agent ORDER BY number DESC LIMIT 1;

-- name: facts
-- The same, without its body.
SELECT agent, number, version, examples, intents, created_at FROM classifiers WHERE agent = :agent ORDER BY number DESC LIMIT 1;

-- name: insert
-- The next classifier of an agent; nobody else may have fitted one since.
INSERT INTO classifiers (agent, number, version, examples, intents, body, created_at)
VALUES (:agent, :number, :version, :examples, :intents, :body, :now)
ON CONFLICT (agent, number) DO NOTHING;

-- name: prune
-- Bodies of classifiers that nobody uses any more.
DELETE FROM classifiers WHERE agent = :agent AND number < :number;
