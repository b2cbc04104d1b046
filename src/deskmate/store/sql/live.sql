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

-- name: told
-- The message, once the event that opened it can be read.
SELECT id FROM messages WHERE id = :message;

-- name: told (postgresql)
-- The same: its event is in the transaction that wrote the row, and shows when all older transactions have ended. Rows know
-- 32 bits of their transaction's number, so the distance is counted around the clock.
SELECT id FROM messages
WHERE id = :message AND mod(
    mod(pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 4294967296) - messages.xmin::text::bigint + 4294967296, 4294967296
) BETWEEN 1 AND 2147483647;
