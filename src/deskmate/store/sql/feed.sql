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

-- name: lift (postgresql)
-- Put the numbers to come above all there are: a restored dump brings numbers that this cluster has not reached.
UPDATE feed SET base = newest.seq + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096
FROM (SELECT max(seq) AS seq FROM events) AS newest
WHERE newest.seq >= feed.base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint * 4096;
