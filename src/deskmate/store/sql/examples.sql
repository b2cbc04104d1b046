-- name: insert
-- Something to learn from; the same thing counts once.
INSERT INTO examples (id, agent, thread, text, intent, responder, source, origin, created_at)
VALUES (:id, :agent, :thread, :text, :intent, :responder, :source, :origin, :now)
ON CONFLICT (origin) DO NOTHING;

-- name: of_agent
-- What an agent's classifier learns from, the newest first.
SELECT * FROM examples WHERE agent = :agent ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: stamp
-- How much there is to learn from, and the newest of it.
SELECT COUNT(*) AS number, COALESCE(MAX(id), '') AS last FROM examples WHERE agent = :agent;

-- name: grown
-- How much there is to learn from for each agent, and how much its classifier was fitted to.
SELECT examples.agent, COUNT(*) AS number,
    (SELECT MAX(classifiers.examples) FROM classifiers WHERE classifiers.agent = examples.agent) AS fitted
FROM examples GROUP BY examples.agent HAVING COUNT(*) >= :least ORDER BY examples.agent;
