-- The clocks of threads, kept by the follower `clocks` and the jobs of that name.

-- name: lock_threads
-- Which of these threads there are, at the beginning of a write. SQLite has one writer, so reading is enough.
SELECT id FROM threads WHERE id IN (SELECT value FROM json_each(:threads)) ORDER BY id;

-- name: lock_threads (postgresql)
-- The same: whoever writes to one of them waits until this transaction is over. In the order of ids, so that two cannot block
-- each other.
SELECT id FROM threads WHERE id IN (SELECT json_array_elements_text(CAST(:threads AS json))) ORDER BY id FOR UPDATE;

-- name: get
-- The clocks of one thread.
SELECT * FROM clocks WHERE thread = :thread;

-- name: of_threads
-- Those of some threads.
SELECT * FROM clocks WHERE thread IN (SELECT value FROM json_each(:threads));

-- name: of_threads (postgresql)
-- The same.
SELECT * FROM clocks WHERE thread IN (SELECT json_array_elements_text(CAST(:threads AS json)));

-- name: events
-- All that has happened on a thread behind a place, for whoever holds its lock: nothing is missing in between.
SELECT * FROM events WHERE thread = :thread AND seq > :after ORDER BY seq;

-- name: put
-- The clocks of a thread as they are now.
INSERT INTO clocks (
    thread, seq, phase, since, ai, queued, human, customer, paused, closed, queue, running, next_at, state
)
VALUES (
    :thread, :seq, :phase, :since, :ai, :queued, :human, :customer, :paused, :closed, :queue, :running, :next_at, :state
)
ON CONFLICT (thread) DO UPDATE
SET seq = excluded.seq, phase = excluded.phase, since = excluded.since, ai = excluded.ai, queued = excluded.queued,
    human = excluded.human, customer = excluded.customer, paused = excluded.paused, closed = excluded.closed,
    queue = excluded.queue, running = excluded.running, next_at = excluded.next_at, state = excluded.state;

-- name: due
-- When a thread is due, for its lists.
UPDATE threads SET due_at = :due_at, due_target = :target, due_breached = :breached WHERE id = :thread;

-- name: overdue
-- Threads whose clocks should have been looked at before a time.
SELECT thread FROM clocks WHERE next_at IS NOT NULL AND next_at < :before ORDER BY next_at LIMIT 1000;

-- name: end
-- What became of a target.
INSERT INTO clock_outcomes (thread, target, started_at, ended_at, queue, policy, allowed, spent, met)
VALUES (:thread, :target, :started_at, :ended_at, :queue, :policy, :allowed, :spent, :met);

-- name: ended
-- How often a target was met and missed in a time, in a queue or (null) in all.
SELECT COUNT(*) AS number, COALESCE(SUM(met), 0) AS met FROM clock_outcomes
WHERE target = :target AND ended_at >= :since AND ended_at < :until AND (CAST(:queue AS TEXT) IS NULL OR queue = :queue);

-- name: rank
-- How long it took, of those the one at this place, shortest first.
SELECT spent FROM clock_outcomes
WHERE target = :target AND ended_at >= :since AND ended_at < :until AND (CAST(:queue AS TEXT) IS NULL OR queue = :queue)
ORDER BY spent LIMIT 1 OFFSET :place;

-- name: running
-- On how many threads which targets are running, in a queue or (null) in all.
SELECT running, COUNT(*) AS number FROM clocks
WHERE running <> '' AND (CAST(:queue AS TEXT) IS NULL OR queue = :queue)
GROUP BY running;
