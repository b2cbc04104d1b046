-- The feed: events in the order of their commits. Append only.

-- name: append
-- One event; the feed numbers it.
INSERT INTO events (thread, thread_seq, type, actor_kind, actor_id, actor_name, channel, at, data)
VALUES (:thread, :thread_seq, :type, :actor_kind, :actor_id, :actor_name, :channel, :at, :data);

-- name: append (postgresql)
-- The same, numbered by the transaction and the event's place in it; and the newest number of the thread before.
INSERT INTO events (seq, thread, thread_seq, type, actor_kind, actor_id, actor_name, channel, at, data)
VALUES (
    (SELECT base FROM feed) + pg_current_xact_id()::text::bigint * 4096 + :place,
    :thread, :thread_seq, :type, :actor_kind, :actor_id, :actor_name, :channel, :at, :data
)
RETURNING seq, (SELECT max(earlier.seq) FROM events AS earlier WHERE earlier.thread = events.thread) AS newest;

-- name: after
-- The next events of the feed.
SELECT * FROM events WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: after (postgresql)
-- The next events below every transaction that is still open: a lower number cannot appear later.
SELECT * FROM events
WHERE seq > :after AND seq < (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096
ORDER BY seq LIMIT :limit;

-- name: after_in_thread
-- The next events of one thread.
SELECT * FROM events WHERE thread = :thread AND seq > :after ORDER BY seq LIMIT :limit;

-- name: after_in_thread (postgresql)
-- The next events of one thread, below every transaction that is still open.
SELECT * FROM events
WHERE thread = :thread AND seq > :after
    AND seq < (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096
ORDER BY seq LIMIT :limit;

-- name: head
-- The newest number a reader may start from; 0 when nothing has happened.
SELECT coalesce(max(seq), 0) AS seq FROM events;

-- name: head (postgresql)
-- The newest number below every transaction that is still open; 0 when nothing has happened.
SELECT coalesce(max(seq), 0) AS seq FROM events
WHERE seq < (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096;

-- name: get
-- One event by its number.
SELECT * FROM events WHERE seq = :seq;

-- name: deeds
-- What happened on a thread since an event that may end a wait. Under the lock of the thread none of them is still to come.
SELECT * FROM events
WHERE thread = :thread AND seq > :after AND type IN (
    'thread.assigned', 'thread.changed', 'message.posted', 'request.claimed', 'request.decided', 'request.cancelled',
    'request.superseded', 'request.expired')
ORDER BY seq;
