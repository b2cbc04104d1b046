-- What one reader follows of the feed.

-- name: after_of_customer
-- The next events on the threads of one customer.
SELECT events.* FROM events JOIN threads ON threads.id = events.thread
WHERE threads.customer = :customer AND events.seq > :after
ORDER BY events.seq LIMIT :limit;

-- name: after_of_customer (postgresql)
-- The same, below every transaction that is still open.
SELECT events.* FROM events JOIN threads ON threads.id = events.thread
WHERE threads.customer = :customer AND events.seq > :after
    AND events.seq < (SELECT base FROM feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint * 4096
ORDER BY events.seq LIMIT :limit;
