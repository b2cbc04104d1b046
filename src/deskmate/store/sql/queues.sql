-- name: get
-- One queue by its name.
SELECT * FROM queues WHERE name = :name;

-- name: all
-- Every queue.
SELECT * FROM queues ORDER BY name;

-- name: ensure
-- A queue that nobody has named yet.
INSERT INTO queues (name, created_at) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING;

-- name: change
-- The facts that people set.
UPDATE queues
SET skills = :skills, chooser = :chooser, calendar = :calendar, lease_seconds = :lease_seconds, sla = :sla, response = :response,
    chain = :chain
WHERE name = :name;

-- name: delete
-- A queue in which nothing waits.
DELETE FROM queues
WHERE name = :name
  AND NOT EXISTS (SELECT 1 FROM threads WHERE threads.queue = :name AND threads.assignment = 'queue' AND threads.status = 'open')
  AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.queue = :name AND requests.state IN ('open', 'claimed'));

-- name: pushing
-- Whether there is a queue that gives its work to operators.
SELECT 1 AS found FROM queues WHERE chooser <> 'pull' LIMIT 1;

-- name: depths
-- What waits in each queue, counted up to a thousand threads, and since when.
SELECT name, (
    SELECT COUNT(*) FROM (
        SELECT 1 FROM threads
        WHERE threads.queue = queues.name AND threads.assignment = 'queue' AND threads.status = 'open'
          AND threads.waiting_since IS NOT NULL
        LIMIT 1000
    ) AS counted
) AS waiting, (
    SELECT MIN(threads.waiting_since) FROM threads
    WHERE threads.queue = queues.name AND threads.assignment = 'queue' AND threads.status = 'open'
      AND threads.waiting_since IS NOT NULL
) AS since
FROM queues
ORDER BY name;

-- name: ahead
-- How many threads of a queue are served before one: those more urgent, and those that wait longer. Counted up to a thousand.
SELECT COUNT(*) AS number FROM (
    SELECT 1 FROM queued_threads
    WHERE queue = :queue AND id <> :thread AND (rank < :rank OR (rank = :rank AND waiting_since < :since))
    LIMIT 1000
) AS counted;

-- name: waits
-- How long the threads waited that were taken from a queue last, in ms.
SELECT waited FROM assignments WHERE queue = :queue ORDER BY created_at DESC LIMIT 20;

-- name: next_thread
-- The thread that an operator takes next. `queues` and `languages` are lists of lines, each line between two `line`s: one of
-- them is in the list when taking it out leaves less.
SELECT id, rank, waiting_since AS since FROM queued_threads
WHERE weight <= :room
  AND replace(:queues, :line || queue || :line, '') <> :queues
  AND (language IS NULL OR waiting_since <= :patient OR :languages = ''
       OR replace(:languages, :line || language || :line, '') <> :languages)
  AND NOT EXISTS (
      SELECT 1 FROM requests
      WHERE requests.thread = queued_threads.id AND requests.state = 'claimed' AND requests.claimed_by <> :by)
  AND NOT EXISTS (
      SELECT 1 FROM choices
      WHERE choices.thread = queued_threads.id AND choices.request IS NULL AND choices.operator = :given_to
        AND choices.missed_at IS NOT NULL)
ORDER BY rank, waiting_since, id
LIMIT 1;

-- name: lock_next_thread
-- SQLite has one writer: the thread that was seen is still the next one.
SELECT NULL AS id WHERE FALSE;

-- name: lock_next_thread (postgresql)
-- The same, locked for the rest of this transaction; those that somebody else holds are passed over.
SELECT id FROM queued_threads
WHERE weight <= :room
  AND replace(:queues, :line || queue || :line, '') <> :queues
  AND (language IS NULL OR waiting_since <= :patient OR :languages = ''
       OR replace(:languages, :line || language || :line, '') <> :languages)
  AND NOT EXISTS (
      SELECT 1 FROM requests
      WHERE requests.thread = queued_threads.id AND requests.state = 'claimed' AND requests.claimed_by <> :by)
  AND NOT EXISTS (
      SELECT 1 FROM choices
      WHERE choices.thread = queued_threads.id AND choices.request IS NULL AND choices.operator = :given_to
        AND choices.missed_at IS NOT NULL)
ORDER BY rank, waiting_since, id
LIMIT 1
FOR UPDATE OF queued_threads SKIP LOCKED;
