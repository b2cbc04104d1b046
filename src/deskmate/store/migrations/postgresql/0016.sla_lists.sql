-- The lists of the inbox (0014.inbox.sql) as they were; only that a thread is due with its first target, or with the first request
-- that expires, whichever is earlier.
CREATE OR REPLACE VIEW listing AS
SELECT threads.id AS thread, item.list,
    status, created_at AS newest, COALESCE(preview_at, created_at) AS activity,
    COALESCE(waiting_since, 9000000000000000 - created_at) AS waiting,
    CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END * 10000000000000000
        + COALESCE(waiting_since, 9000000000000000 - created_at) AS priority,
    COALESCE(
        LEAST(
            due_at,
            (SELECT MIN(requests.expires_at) FROM requests
             WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt')
               AND requests.state <> 'in_doubt')),
        9000000000000000 - created_at
    ) AS due
FROM threads CROSS JOIN LATERAL unnest(
    ARRAY['all']
    || CASE WHEN waiting_since IS NOT NULL AND assignment <> 'operator' AND NOT EXISTS (
            SELECT 1 FROM requests
            WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state = 'claimed')
        THEN ARRAY['unassigned', 'unassigned:' || substr(queue, 1, 200)] END
    || ARRAY['queue:' || substr(queue, 1, 200)]
    || CASE WHEN priority <> 'normal' THEN ARRAY['priority:' || priority] END
    || CASE WHEN assignment = 'operator' THEN ARRAY['mine:' || holder] END
    || ARRAY(
        SELECT DISTINCT 'kind:' || requests.kind FROM requests
        WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt'))
    || ARRAY(
        SELECT DISTINCT 'mine:' || requests.claimed_by FROM requests
        WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state = 'claimed'
          AND NOT (threads.assignment = 'operator' AND requests.claimed_by = threads.holder))
    || ARRAY(SELECT DISTINCT 'tag:' || substr(tag.value, 1, 200) FROM json_array_elements_text(CAST(threads.tags AS json)) AS tag (value))
) AS item (list)
WHERE item.list IS NOT NULL;

CREATE FUNCTION thread_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE listed SET due = (SELECT listing.due FROM listing WHERE listing.thread = new.id LIMIT 1) WHERE thread = new.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER threads_due AFTER UPDATE OF due_at ON threads FOR EACH ROW
WHEN (new.due_at IS DISTINCT FROM old.due_at)
EXECUTE FUNCTION thread_due();
