-- The lists of the inbox (0014.inbox.sql) as they were; only that a thread is due with its first target, or with the first request
-- that expires, whichever is earlier.
DROP VIEW listing;
CREATE VIEW listing AS
SELECT threads.id AS thread, item.value AS list,
    status, created_at AS newest, COALESCE(preview_at, created_at) AS activity,
    COALESCE(waiting_since, 9000000000000000 - created_at) AS waiting,
    iif(threads.priority = 'urgent', 0, iif(threads.priority = 'high', 1, iif(threads.priority = 'normal', 2, 3))) * 10000000000000000
        + COALESCE(waiting_since, 9000000000000000 - created_at) AS priority,
    MIN(
        COALESCE(due_at, 9000000000000000 - created_at),
        COALESCE(
            (SELECT MIN(requests.expires_at) FROM requests
             WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt')
               AND requests.state <> 'in_doubt'),
            9000000000000000 - created_at)
    ) AS due
FROM threads CROSS JOIN json_each(
    '["all"'
    || iif(waiting_since IS NULL OR assignment = 'operator' OR EXISTS (
            SELECT 1 FROM requests
            WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state = 'claimed'),
        '',
        ',"unassigned"' || iif(queue IS NULL, '', ',' || json_quote('unassigned:' || substr(queue, 1, 200))))
    || iif(queue IS NULL, '', ',' || json_quote('queue:' || substr(queue, 1, 200)))
    || iif(threads.priority = 'normal', '', ',' || json_quote('priority:' || threads.priority))
    || iif(assignment = 'operator' AND holder IS NOT NULL, ',' || json_quote('mine:' || holder), '')
    || COALESCE((
        SELECT group_concat(
            iif(requests.state = 'claimed' AND requests.claimed_by IS NOT NULL, ',' || json_quote('mine:' || requests.claimed_by), '')
            || ',' || json_quote('kind:' || requests.kind), '')
        FROM requests WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt')), '')
    || COALESCE((SELECT group_concat(',' || json_quote('tag:' || substr(tag.value, 1, 200)), '') FROM json_each(threads.tags) AS tag), '')
    || ']'
) AS item;

CREATE TRIGGER threads_due AFTER UPDATE OF due_at ON threads
WHEN new.due_at IS NOT old.due_at
BEGIN
    UPDATE listed SET due = (SELECT listing.due FROM listing WHERE listing.thread = new.id LIMIT 1) WHERE thread = new.id;
END;
