-- name: newest
-- The floor of an agent that is in force.
SELECT * FROM floors WHERE agent = :agent AND "of" = :of ORDER BY version DESC LIMIT 1;

-- name: insert
-- The next floor of an agent; nobody else may have set one since.
INSERT INTO floors (agent, "of", version, value, state, created_at) VALUES (:agent, :of, :version, :value, :state, :now)
ON CONFLICT (agent, "of", version) DO NOTHING;

-- name: label
-- What a check has shown, once for each route.
INSERT INTO labels (route, agent, "of", classifier, score, wrong, created_at)
VALUES (:route, :agent, :of, :classifier, :score, :wrong, :now) ON CONFLICT (route) DO NOTHING;

-- name: labels
-- What checks have shown of an agent since a time, in their order.
SELECT labels.* FROM labels
WHERE labels.agent = :agent AND labels."of" = :of AND labels.created_at >= :since
    AND (:classifier = '' OR labels.classifier = :classifier)
ORDER BY labels.created_at, labels.route;

-- name: rescore
-- What a check has shown, as another classifier would have scored the message.
UPDATE labels SET score = :score, classifier = :classifier WHERE route = :route;

-- name: agents
-- The agents that have been checked.
SELECT DISTINCT agent, "of" FROM labels ORDER BY agent, "of";

-- name: labelled_texts
-- What checks have shown, with the messages they were about, where those are still there.
SELECT labels.*, routes.text FROM labels JOIN routes ON routes.id = labels.route AND routes.text IS NOT NULL
WHERE labels.agent = :agent AND labels."of" = :of ORDER BY labels.created_at, labels.route;
