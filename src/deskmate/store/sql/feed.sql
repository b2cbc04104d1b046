-- What the engines themselves need to keep the feed in order and its readers awake.

-- name: version (sqlite)
-- A number that changes when another connection commits.
PRAGMA data_version;

-- name: newest (sqlite)
-- The newest number of the feed.
SELECT max(seq) AS seq FROM events;

-- name: changed (sqlite)
-- Threads with newer events, and threads with a stream (text arrives without an event), with their customers.
SELECT DISTINCT changed.thread AS thread, threads.id AS found, threads.customer AS customer
FROM (
    SELECT thread FROM events WHERE seq > :after
    UNION ALL
    SELECT thread FROM streams WHERE status = 'streaming'
) AS changed
LEFT JOIN threads ON threads.id = changed.thread;

-- name: horizon (postgresql)
-- Send this notification; and the first number of the feed that is not settled yet.
SELECT pg_notify('deskmate', :payload),
    (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096 AS horizon;

-- name: settled (postgresql)
-- The first number of the feed that is not settled yet.
SELECT (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096 AS horizon;

-- name: hold_thread (postgresql)
-- Wait for the thread's row before this transaction has an id, so that its events come after those of the one it waited for.
SELECT id FROM threads WHERE id = :thread FOR UPDATE;

-- name: hold_thread_now (postgresql)
-- The same for a further thread, without waiting: whoever waits here has an id already.
SELECT id FROM threads WHERE id = :thread FOR UPDATE NOWAIT;

-- name: lift (postgresql)
-- Put the numbers to come above all there are: a restored dump brings numbers that this cluster has not reached.
UPDATE feed SET base = newest.seq + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096
FROM (SELECT max(seq) AS seq FROM events) AS newest
WHERE newest.seq >= feed.base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint * 4096;

-- name: count (sqlite)
-- Count the events of a transaction on its thread.
UPDATE threads SET event_seq = event_seq + :number, updated_at = :now WHERE id = :thread RETURNING event_seq, customer;

-- name: append_all (postgresql)
-- Count the events of a transaction on its thread and append them; the number of one, and the newest of the thread before.
WITH counted AS (
    UPDATE threads SET event_seq = event_seq + :number, updated_at = :now WHERE id = :thread RETURNING event_seq, customer
),
appended AS (
    INSERT INTO events (seq, thread, thread_seq, type, actor_kind, actor_id, actor_name, channel, at, data)
    SELECT (SELECT base FROM feed) + pg_current_xact_id()::text::bigint * 4096 + event.place,
        :thread, counted.event_seq - :number + row_number() OVER (ORDER BY event.place),
        event.type, event.actor_kind, event.actor_id, event.actor_name, event.channel, event.at, event.data
    FROM counted, json_to_recordset(CAST(:events AS json)) AS event(
        place bigint, type text, actor_kind text, actor_id text, actor_name text, channel text, at bigint, data text
    )
)
SELECT counted.customer, (SELECT base FROM feed) + pg_current_xact_id()::text::bigint * 4096 + :first AS seq,
    (SELECT max(earlier.seq) FROM events AS earlier WHERE earlier.thread = :thread) AS newest
FROM counted;

-- name: signs (sqlite)
-- All signs there are, with when others last saw something else of them: what another process has changed is a new row here.
SELECT viewers.thread, viewers.kind, viewers.id, viewers.changed_at, threads.customer
FROM viewers JOIN threads ON threads.id = viewers.thread;
