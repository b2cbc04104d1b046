-- name: threads_waiting
-- The open threads on which somebody waits for a person, whoever holds them, and the oldest since when; counted up to a limit.
SELECT COUNT(*) AS waiting, MIN(waiting_since) AS since FROM (
    SELECT waiting_since FROM threads
    WHERE waiting_since IS NOT NULL AND status = 'open' AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY waiting_since, id
    LIMIT :most
) AS oldest;

-- name: waiting
-- What waits for people, by kind and by age: the oldest requests, as many as are counted. A queue of nothing is any.
SELECT kind, COUNT(*) AS waiting, MIN(created_at) AS since,
    SUM(CASE WHEN created_at > :minutes_5 THEN 1 ELSE 0 END) AS under_minutes_5,
    SUM(CASE WHEN created_at > :minutes_30 THEN 1 ELSE 0 END) AS under_minutes_30,
    SUM(CASE WHEN created_at > :hours_2 THEN 1 ELSE 0 END) AS under_hours_2,
    SUM(CASE WHEN created_at > :days_1 THEN 1 ELSE 0 END) AS under_days_1
FROM (
    SELECT kind, created_at FROM requests
    WHERE state IN ('open', 'claimed') AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY created_at, id
    LIMIT :most
) AS oldest
GROUP BY kind
ORDER BY kind;

-- name: operators
-- Those who work here, who is there first, with what they hold; each count ends at a thousand.
SELECT id, name, role, presence, seen_at, load, capacity, queues, (
    SELECT COUNT(*) FROM (
        SELECT 1 FROM threads
        WHERE threads.assignment = 'operator' AND threads.holder = operators.id AND threads.status = 'open'
        LIMIT 1000
    ) AS held
) AS threads, (
    SELECT MIN(since) FROM (
        SELECT threads.waiting_since AS since FROM threads
        WHERE threads.assignment = 'operator' AND threads.holder = operators.id AND threads.status = 'open'
        LIMIT 1000
    ) AS held
) AS since, (
    SELECT COUNT(*) FROM (
        SELECT 1 FROM requests WHERE requests.claimed_by = operators.id AND requests.state = 'claimed' LIMIT 1000
    ) AS claimed
) AS requests
FROM operators
WHERE disabled_at IS NULL AND role <> 'observer'
ORDER BY CASE presence WHEN 'available' THEN 0 WHEN 'away' THEN 1 ELSE 2 END, name, id
LIMIT :most;

-- name: threads
-- Threads that were opened in a period and in which something was said, by step: how many a person had a hand in, how many the AI
-- has answered, or somebody closed, without one, and how many were passed on to people. The newest, as many as are counted.
SELECT (created_at - :since) / :step AS place, COUNT(*) AS threads, SUM(people) AS people,
    SUM(CASE WHEN people = 0 THEN settled ELSE 0 END) AS alone, SUM(escalated) AS escalated
FROM (
    SELECT created_at,
        CASE WHEN waiting_since IS NULL AND (status = 'resolved' OR (prompt_order >= 0 AND answered_order >= prompt_order))
            THEN 1 ELSE 0 END AS settled,
        CASE WHEN (
            SELECT COUNT(*) FROM (
                SELECT 1 FROM assignments WHERE assignments.thread = threads.id AND assignments."to" = 'operator' LIMIT 1
            ) AS held
        ) + (
            SELECT COUNT(*) FROM (
                SELECT 1 FROM messages WHERE messages.thread = threads.id AND messages.author_kind = 'operator' LIMIT 1
            ) AS spoke
        ) + (
            SELECT COUNT(*) FROM (
                SELECT 1 FROM requests WHERE requests.thread = threads.id AND requests.decided_by_kind = 'operator' LIMIT 1
            ) AS decided
        ) > 0 THEN 1 ELSE 0 END AS people,
        (
            SELECT COUNT(*) FROM (
                SELECT 1 FROM requests WHERE requests.thread = threads.id AND requests.kind = 'escalation' LIMIT 1
            ) AS passed
        ) AS escalated
    FROM threads
    WHERE created_at >= :since AND created_at < :until AND preview_message IS NOT NULL
      AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY created_at DESC, id DESC
    LIMIT :most
) AS opened
GROUP BY place
ORDER BY place;

-- name: escalations
-- What was passed on to people in a period, newest first: by which agent, why, and what ended the run of it. Where no call and no
-- run asked for a person, somebody did.
SELECT asked.id, asked.thread, asked.run, asked.agent, asked.reason, asked.created_at AS at, runs.error,
    threads.subject, customers.name AS customer
FROM (
    SELECT id, thread, run, reason, created_at,
        CASE WHEN run IS NULL AND COALESCE(call_id, '') = '' THEN NULL ELSE agent END AS agent
    FROM requests
    WHERE kind = 'escalation' AND created_at >= :since AND created_at < :until
      AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY created_at DESC, id DESC
    LIMIT :most
) AS asked
JOIN threads ON threads.id = asked.thread
LEFT JOIN customers ON customers.id = threads.customer
LEFT JOIN runs ON runs.id = asked.run
ORDER BY asked.created_at DESC, asked.id DESC;

-- name: escalated_calls
-- The calls of the runs that passed something on, and what came of them: the parts of their messages, in order.
SELECT asked.run, messages.parts
FROM (
    SELECT thread, run FROM requests
    WHERE kind = 'escalation' AND created_at >= :since AND created_at < :until
      AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY created_at DESC, id DESC
    LIMIT :most
) AS asked
JOIN messages ON messages.thread = asked.thread AND messages.run = asked.run
WHERE messages.parts LIKE '%"type":"tool\_%' ESCAPE '\'
ORDER BY asked.run, messages."order", messages.step;

-- name: failures
-- The runs that failed in a period and were not tried again, newest first.
SELECT ended.id AS run, ended.thread, ended.agent, ended.error, ended.updated_at AS at, threads.subject, customers.name AS customer
FROM (
    SELECT id, thread, agent, error, updated_at FROM runs
    WHERE state = 'failed' AND updated_at >= :since AND updated_at < :until
      AND (:queue = '' OR EXISTS (
          SELECT 1 FROM threads WHERE threads.id = runs.thread AND COALESCE(threads.queue, 'support') = :queue))
    ORDER BY updated_at DESC, id DESC
    LIMIT :most
) AS ended
JOIN threads ON threads.id = ended.thread
LEFT JOIN customers ON customers.id = threads.customer
ORDER BY ended.updated_at DESC, ended.id DESC;

-- name: failed_calls
-- The calls of the runs that failed, as those of escalations.
SELECT ended.id AS run, messages.parts
FROM (
    SELECT id, thread FROM runs
    WHERE state = 'failed' AND updated_at >= :since AND updated_at < :until
    ORDER BY updated_at DESC, id DESC
    LIMIT :most
) AS ended
JOIN messages ON messages.thread = ended.thread AND messages.run = ended.id
WHERE messages.parts LIKE '%"type":"tool\_%' ESCAPE '\'
ORDER BY ended.id, messages."order", messages.step;

-- name: waits
-- How long it took until a person came, in a period: threads that were taken from a queue, and requests that were decided otherwise.
SELECT at, waited FROM (
    SELECT created_at AS at, waited FROM assignments
    WHERE waited IS NOT NULL AND created_at >= :since AND created_at < :until AND (:queue = '' OR queue = :queue)
    UNION ALL
    SELECT decided_at AS at, decided_at - created_at AS waited FROM requests
    WHERE decided_by_kind = 'operator' AND decided_at >= :since AND decided_at < :until
      AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
      AND NOT EXISTS (
          SELECT 1 FROM assignments
          WHERE assignments.thread = requests.thread AND assignments.waited IS NOT NULL
            AND assignments.created_at = requests.decided_at)
) AS waits
ORDER BY at DESC
LIMIT :most;

-- name: work
-- The time that people worked in a period, in seconds: the newest entries, as many as are counted.
SELECT COALESCE(SUM(millis), 0) / 1000.0 AS seconds, COUNT(*) AS entries FROM (
    SELECT millis FROM usage_entries
    WHERE operator IS NOT NULL AND created_at >= :since AND created_at < :until
      AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY created_at DESC
    LIMIT :most
) AS worked;

-- name: costs
-- What agents and people cost in a period, in minor units of each currency: the newest entries, as many as are counted.
SELECT currency, who, SUM(cost_nanos / 1000000000.0) AS minor FROM (
    SELECT currency, CASE WHEN operator IS NULL THEN 'ai' ELSE 'people' END AS who, cost_nanos FROM usage_entries
    WHERE created_at >= :since AND created_at < :until AND cost_nanos IS NOT NULL
      AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY created_at DESC
    LIMIT :most
) AS costs
GROUP BY currency, who ORDER BY currency, who;

-- name: due
-- Targets of SLA policies that are due up to a time: how many, how many of them are late, and when the first was due.
SELECT COUNT(*) AS due, COALESCE(SUM(CASE WHEN due_at <= :now THEN 1 ELSE 0 END), 0) AS late, MIN(due_at) AS since FROM (
    SELECT due_at FROM threads
    WHERE due_at IS NOT NULL AND due_at <= :until AND (:queue = '' OR COALESCE(queue, 'support') = :queue)
    ORDER BY due_at
    LIMIT :most
) AS targets;
