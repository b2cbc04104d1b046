-- name: insert
-- A stream begins at a position.
INSERT INTO streams (id, thread, "order", step, agent_name, run, status, alive_at, created_at)
VALUES (:id, :thread, :order, :step, :agent_name, :run, 'streaming', :now, :now);

-- name: get
-- One stream, with the customer whose thread it is on.
SELECT streams.*, threads.customer AS customer
FROM streams JOIN threads ON threads.id = streams.thread
WHERE streams.id = :id;

-- name: append
-- The next pieces, unless the stream has ended, or they are not the next. Tells who may be waiting for them.
INSERT INTO deltas (stream, start, "end", parts, at)
SELECT id, :start, :end, :parts, :now FROM streams
WHERE id = :stream AND status = 'streaming'
  AND :start = COALESCE((SELECT "end" FROM deltas WHERE stream = :stream ORDER BY start DESC LIMIT 1), 0)
RETURNING
    (SELECT streams.thread FROM streams WHERE streams.id = :stream) AS thread,
    (SELECT threads.customer FROM streams JOIN threads ON threads.id = streams.thread WHERE streams.id = :stream) AS customer;

-- name: append (postgresql)
-- The same. Whoever ends the stream at the same moment comes before or after, not between.
INSERT INTO deltas (stream, start, "end", parts, at)
SELECT id, CAST(:start AS BIGINT), CAST(:end AS BIGINT), CAST(:parts AS TEXT), CAST(:now AS BIGINT) FROM streams
WHERE id = :stream AND status = 'streaming'
  AND :start = COALESCE((SELECT "end" FROM deltas WHERE stream = :stream ORDER BY start DESC LIMIT 1), 0)
FOR SHARE OF streams
ON CONFLICT (stream, start) DO NOTHING
RETURNING
    (SELECT streams.thread FROM streams WHERE streams.id = :stream) AS thread,
    (SELECT threads.customer FROM streams JOIN threads ON threads.id = streams.thread WHERE streams.id = :stream) AS customer;

-- name: newest_delta
-- The last pieces of a stream.
SELECT * FROM deltas WHERE stream = :stream ORDER BY start DESC LIMIT 1;

-- name: delta
-- The pieces that start with a number.
SELECT * FROM deltas WHERE stream = :stream AND start = :start;

-- name: since
-- The pieces of a stream from a number on, in order.
SELECT * FROM deltas WHERE stream = :stream AND start >= :start ORDER BY start;

-- name: of_thread
-- The streams of a thread from an order on, latest position first.
SELECT streams.*, threads.customer AS customer
FROM streams JOIN threads ON threads.id = streams.thread
WHERE streams.thread = :thread AND streams."order" >= :from_order
  AND streams.status IN (:status_1, :status_2, :status_3)
ORDER BY streams."order" DESC, streams.step DESC, streams.created_at DESC, streams.id DESC;

-- name: live_of_order
-- What is being written on one order.
SELECT id FROM streams WHERE thread = :thread AND "order" = :order AND status = 'streaming' ORDER BY step, id;

-- name: at_position
-- The streams at a position, newest first.
SELECT id, status, run FROM streams
WHERE thread = :thread AND "order" = :order AND step = :step
ORDER BY created_at DESC, id DESC;

-- name: beat
-- A sign of life.
UPDATE streams SET alive_at = :now WHERE id = :id AND status = 'streaming';

-- name: end
-- The end of a stream. Answers 0 when it has ended already.
UPDATE streams SET status = :status, reason = :reason, ended_at = :now WHERE id = :id AND status = 'streaming';

-- name: delete_deltas
-- The pieces of a stream.
DELETE FROM deltas WHERE stream = :id;

-- name: delete
-- The stream itself.
DELETE FROM streams WHERE id = :id;

-- name: pending
-- The messages of a thread that are being written, each with the newest stream at its position.
SELECT messages.id, messages.thread, messages.visibility, messages.run, (
    SELECT streams.id FROM streams
    WHERE streams.thread = messages.thread AND streams."order" = messages."order" AND streams.step = messages.step
    ORDER BY streams.created_at DESC, streams.id DESC LIMIT 1
) AS stream
FROM messages WHERE messages.thread = :thread AND messages.status = 'pending';

-- name: pending_of_customer
-- The same for all threads of one customer.
SELECT messages.id, messages.thread, messages.visibility, messages.run, (
    SELECT streams.id FROM streams
    WHERE streams.thread = messages.thread AND streams."order" = messages."order" AND streams.step = messages.step
    ORDER BY streams.created_at DESC, streams.id DESC LIMIT 1
) AS stream
FROM messages JOIN threads ON threads.id = messages.thread
WHERE messages.status = 'pending' AND threads.customer = :customer;

-- name: pending_all
-- The same for every thread.
SELECT messages.id, messages.thread, messages.visibility, messages.run, (
    SELECT streams.id FROM streams
    WHERE streams.thread = messages.thread AND streams."order" = messages."order" AND streams.step = messages.step
    ORDER BY streams.created_at DESC, streams.id DESC LIMIT 1
) AS stream
FROM messages WHERE messages.status = 'pending';
