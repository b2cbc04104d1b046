-- name: insert
-- A message at its position.
INSERT INTO messages (
    id, thread, "order", step, role, author_kind, author_id, author_name, parts, text, visibility, status,
    agent_name, model, provider, provider_metadata, usage, error, run, created_at, updated_at
)
VALUES (
    :id, :thread, :order, :step, :role, :author_kind, :author_id, :author_name, :parts, :text, :visibility, :status,
    :agent_name, :model, :provider, :provider_metadata, :usage, :error, :run, :now, :now
);

-- name: replace
-- Other content for a message; its id, place and age stay.
UPDATE messages
SET role = :role, author_kind = :author_kind, author_id = :author_id, author_name = :author_name, parts = :parts, text = :text,
    visibility = :visibility, status = :status, agent_name = :agent_name, model = :model, provider = :provider,
    provider_metadata = :provider_metadata, usage = :usage, error = :error, run = :run, updated_at = :now
WHERE id = :id;

-- name: get
-- One message by its id.
SELECT * FROM messages WHERE id = :id;

-- name: at
-- The message at a position.
SELECT * FROM messages WHERE thread = :thread AND "order" = :order AND step = :step;

-- name: latest
-- The last position of a thread.
SELECT "order", step FROM messages WHERE thread = :thread ORDER BY "order" DESC, step DESC LIMIT 1;

-- name: last_of_order
-- The last step of one order.
SELECT step FROM messages WHERE thread = :thread AND "order" = :order ORDER BY step DESC LIMIT 1;

-- name: pending
-- The unfinished messages of a thread, in any order: sorting here would read the whole thread instead of their own index.
SELECT * FROM messages WHERE thread = :thread AND status = 'pending';

-- name: page_after
-- Messages behind a position, in order. Without `tools` those about tools are left out, `spoken` keeps what customers may read,
-- without `hidden` notes and drafts are left out.
SELECT * FROM messages
WHERE thread = :thread AND ("order", step) > (:order, :step) AND "order" <= :up_to
  AND status IN (:status_1, :status_2, :status_3)
  AND (:tools = 1 OR (role <> 'tool' AND parts NOT LIKE '%"type":"tool\_call"%' ESCAPE '\'))
  AND (:spoken = 0 OR (visibility = 'public' AND (
       (role IN ('user', 'assistant') AND (text <> '' OR (role = 'assistant' AND status = 'pending')
        OR parts LIKE '%"type":"file"%'))
       OR (role = 'system' AND author_kind = 'system' AND text <> ''))))
  AND (:hidden = 1 OR visibility = 'public')
ORDER BY "order", step
LIMIT :limit;

-- name: page_before
-- The same before a position, last first.
SELECT * FROM messages
WHERE thread = :thread AND ("order", step) < (:order, :step) AND "order" <= :up_to
  AND status IN (:status_1, :status_2, :status_3)
  AND (:tools = 1 OR (role <> 'tool' AND parts NOT LIKE '%"type":"tool\_call"%' ESCAPE '\'))
  AND (:spoken = 0 OR (visibility = 'public' AND (
       (role IN ('user', 'assistant') AND (text <> '' OR (role = 'assistant' AND status = 'pending')
        OR parts LIKE '%"type":"file"%'))
       OR (role = 'system' AND author_kind = 'system' AND text <> ''))))
  AND (:hidden = 1 OR visibility = 'public')
ORDER BY "order" DESC, step DESC
LIMIT :limit;

-- name: speaking_before
-- The newest messages before a position that a model may be given, last first. The conditions are ones whose share PostgreSQL can
-- tell: where it thinks that few messages fit, it reads and sorts the whole thread.
SELECT * FROM messages
WHERE thread = :thread AND ("order", step) < (:order, :step)
  AND status = 'success'
  AND ((visibility = 'public' AND NOT (role = 'system' AND author_kind = 'system'))
       OR (visibility = 'note' AND role = 'system' AND author_kind = 'system'))
  AND (:tools = 1 OR (role <> 'tool' AND parts NOT LIKE '%"type":"tool\_call"%' ESCAPE '\'))
ORDER BY "order" DESC, step DESC
LIMIT :limit;

-- name: of_order
-- The messages of one order within steps, the last excluded.
SELECT * FROM messages
WHERE thread = :thread AND "order" = :order AND step >= :from_step AND step < :to_step
ORDER BY step;

-- name: cut_off
-- What an agent had begun to say when a person took over, since a time, among the newest messages.
SELECT text FROM (SELECT * FROM messages WHERE thread = :thread ORDER BY "order" DESC, step DESC LIMIT :limit) AS newest
WHERE status = 'failed' AND error = 'taken_over' AND text <> '' AND updated_at >= :since
ORDER BY "order", step;

-- name: newest_readable
-- The newest message that a list of threads can show.
SELECT * FROM messages
WHERE thread = :thread AND status = 'success' AND visibility <> 'draft' AND role IN ('user', 'assistant')
  AND (text <> '' OR parts LIKE '%"type":"file"%')
ORDER BY "order" DESC, step DESC
LIMIT 1;

-- name: delete
-- Remove a message.
DELETE FROM messages WHERE id = :id;

-- name: ids_between
-- The messages from a position up to another, which is excluded.
SELECT id FROM messages
WHERE thread = :thread AND ("order", step) >= (:from_order, :from_step) AND ("order", step) < (:to_order, :to_step)
ORDER BY "order", step;
