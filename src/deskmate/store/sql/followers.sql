-- name: get
-- How far a follower has come in the feed.
SELECT seq FROM followers WHERE name = :name;

-- name: behind
-- Followers that have not seen all that happened.
SELECT name FROM followers WHERE seq < (SELECT COALESCE(MAX(seq), 0) FROM events);

-- name: behind (postgresql)
-- The same, below every transaction that is still open.
SELECT name FROM followers
WHERE seq < (
    SELECT COALESCE(MAX(seq), 0) FROM events
    WHERE seq < (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096);

-- name: advance
-- It has come farther, unless another process was faster. A compare-and-set.
UPDATE followers SET seq = :seq WHERE name = :name AND seq = :was;
