-- Who is on which thread at this moment.

-- name: get
-- What somebody has said last on a thread.
SELECT * FROM viewers WHERE thread = :thread AND kind = :kind AND id = :id;

-- name: put
-- Somebody views, types, or has stopped.
INSERT INTO viewers (thread, kind, id, name, viewing_until, typing_until, typing, until, changed_at)
VALUES (:thread, :kind, :id, :name, :viewing_until, :typing_until, :typing, :until, :changed_at)
ON CONFLICT (thread, kind, id) DO UPDATE
SET name = excluded.name, viewing_until = excluded.viewing_until, typing_until = excluded.typing_until, typing = excluded.typing,
    until = excluded.until, changed_at = excluded.changed_at;

-- name: now
-- Everybody who is on any thread, with its customer.
SELECT viewers.*, threads.customer AS customer
FROM viewers JOIN threads ON threads.id = viewers.thread
WHERE viewers.until > :now
ORDER BY viewers.thread, viewers.kind DESC, viewers.name, viewers.id;

-- name: gone
-- Somebody who was gone before a time.
SELECT thread FROM viewers WHERE until < :before LIMIT 1;

-- name: sweep
-- Forget all who were gone before a time.
DELETE FROM viewers WHERE until < :before;
