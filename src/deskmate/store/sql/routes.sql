-- name: insert
-- One decision who responds, and the policy that its agent goes by.
INSERT INTO routes (id, run, thread, message, agent, responder, reason, step, inputs, steps, created_at)
VALUES (:id, :run, :thread, :message, :agent, :responder, :reason, :step, :inputs, :steps, :now)
RETURNING (
    SELECT policies.rules FROM policies
    WHERE policies.kind = 'route' AND policies.name IN (:agent, 'default')
    ORDER BY CASE WHEN policies.name = :agent THEN 0 ELSE 1 END LIMIT 1) AS policy;

-- name: settle
-- What came of it, with all that it was decided from.
UPDATE routes SET responder = :responder, reason = :reason, score = :score, floor = :floor, version = :version,
    audited = :audited, step = :step, inputs = :inputs, text = :text, steps = :steps, rules = :rules
WHERE id = :id;

-- name: keep_rules
-- The rules that routes are decided by, once.
INSERT INTO route_rules (digest, rules) VALUES (:digest, :rules) ON CONFLICT (digest) DO NOTHING;

-- name: of_run
-- The route of a run, with the rules it was decided by, where its agent goes by some.
SELECT routes.*, route_rules.rules AS policy FROM routes JOIN route_rules ON route_rules.digest = routes.rules
WHERE routes.run = :run AND routes.rules IS NOT NULL ORDER BY routes.created_at DESC, routes.id DESC LIMIT 1;

-- name: get
-- One route, with the rules it was decided by.
SELECT routes.*, route_rules.rules AS policy FROM routes LEFT JOIN route_rules ON route_rules.digest = routes.rules
WHERE routes.id = :id;

-- name: of_thread
-- The newest routes of a thread.
SELECT routes.*, route_rules.rules AS policy FROM routes LEFT JOIN route_rules ON route_rules.digest = routes.rules
WHERE routes.thread = :thread AND routes.id IS NOT NULL
ORDER BY routes.created_at DESC, routes.id DESC LIMIT :limit;

-- name: scores
-- What the newest messages of an agent scored.
SELECT score FROM routes WHERE agent = :agent AND score IS NOT NULL AND created_at >= :since
ORDER BY created_at DESC LIMIT :limit;

-- name: texts
-- The newest messages of an agent that a classifier was asked about, as their routes hold them.
SELECT text FROM routes WHERE agent = :agent AND score IS NOT NULL AND text IS NOT NULL ORDER BY created_at DESC LIMIT :limit;

-- name: shares
-- Who responded in a time, by hour.
SELECT routes.created_at / :step AS hour, routes.responder, COUNT(*) AS number
FROM routes LEFT JOIN threads ON threads.id = routes.thread
WHERE routes.created_at >= :since AND routes.created_at < :until AND routes.id IS NOT NULL
    AND (:queue = '' OR threads.queue = :queue)
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: reasons
-- Why somebody other than the AI alone responded in a time, the most frequent first.
SELECT routes.responder, CASE WHEN routes.step IN ('rules', 'safety') THEN routes.reason ELSE routes.step END AS reason,
    COUNT(*) AS number
FROM routes LEFT JOIN threads ON threads.id = routes.thread
WHERE routes.created_at >= :since AND routes.created_at < :until AND routes.id IS NOT NULL AND routes.responder <> 'ai'
    AND (:queue = '' OR threads.queue = :queue)
GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT :limit;

-- name: since
-- The routes of an agent in a time, with the words they were about: what a dry run goes through, the newest first.
SELECT routes.thread, routes.message, routes.responder, routes.inputs, COALESCE(routes.text, messages.text) AS text
FROM routes LEFT JOIN messages ON messages.id = routes.message
WHERE routes.created_at >= :since AND routes.agent = :agent AND routes.run IS NOT NULL
ORDER BY routes.created_at DESC, routes.id DESC LIMIT :limit;

-- name: forget
-- The words of a message that is gone, or says something else now.
UPDATE routes SET text = NULL WHERE message = :message AND text IS NOT NULL;

-- name: audits_open
-- How many checks of an agent's answers wait for a person.
SELECT COUNT(*) AS number FROM requests JOIN routes ON routes.run = requests.run AND routes.rules IS NOT NULL
WHERE requests.state IN ('open', 'claimed') AND requests.draft IS NOT NULL AND routes.audited = 1 AND routes.agent = :agent;
