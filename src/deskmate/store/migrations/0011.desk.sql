-- The desk: queues, who was chosen and why, load as a counter in hundredths of a thread, leases of threads, signs of life.
ALTER TABLE operators DROP COLUMN load;
ALTER TABLE operators ADD COLUMN load BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operators ADD COLUMN seen_at BIGINT;
ALTER TABLE operators ADD COLUMN auto_away INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN weight BIGINT NOT NULL DEFAULT 100;
ALTER TABLE threads ADD COLUMN lease_until BIGINT;
ALTER TABLE requests ADD COLUMN weight BIGINT NOT NULL DEFAULT 30;
UPDATE requests SET weight = 20 WHERE kind = 'approval';
ALTER TABLE assignments ADD COLUMN queue TEXT;
ALTER TABLE assignments ADD COLUMN waited BIGINT;
CREATE INDEX assignments_by_queue ON assignments (queue, created_at) WHERE queue IS NOT NULL;

CREATE TABLE queues (
    name TEXT PRIMARY KEY,
    skills TEXT NOT NULL DEFAULT '[]',
    chooser TEXT NOT NULL DEFAULT 'pull',
    calendar TEXT,
    lease_seconds BIGINT NOT NULL DEFAULT 300,
    created_at BIGINT NOT NULL
);
CREATE INDEX queues_pushing ON queues (name) WHERE chooser <> 'pull';
INSERT INTO queues (name, created_at)
SELECT queue, MIN(created_at)
FROM (
    SELECT queue, created_at FROM threads WHERE queue IS NOT NULL
    UNION ALL
    SELECT queue, created_at FROM requests WHERE queue IS NOT NULL
) AS used
GROUP BY queue;
-- What nobody has put anywhere else waits here.
INSERT INTO queues (name, created_at) VALUES ('support', 0) ON CONFLICT (name) DO NOTHING;

-- Who was chosen for a thread or a request, from whom, and whether they let it lie.
CREATE TABLE choices (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    request TEXT REFERENCES requests (id),
    queue TEXT NOT NULL,
    operator TEXT NOT NULL,
    operator_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    candidates TEXT NOT NULL,
    missed_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX choices_by_thread ON choices (thread, created_at, id);

CREATE INDEX threads_queued ON threads (
    (CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END), waiting_since, id
) WHERE assignment = 'queue' AND status = 'open';
CREATE INDEX threads_in_queue ON threads (queue, waiting_since, id) WHERE assignment = 'queue' AND status = 'open';
CREATE INDEX requests_by_rank ON requests (
    (CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END), created_at, id
) WHERE state IN ('open', 'claimed');
-- The threads that can be given to somebody: where the AI still says its last words, they wait until it has.
CREATE VIEW queued_threads AS
SELECT threads.id, threads.queue, threads.language, threads.weight, threads.waiting_since,
    CASE threads.priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END AS rank
FROM threads
WHERE threads.assignment = 'queue' AND threads.status = 'open' AND threads.waiting_since IS NOT NULL
  AND NOT EXISTS (
      SELECT 1 FROM runs WHERE runs.thread = threads.id AND runs.state = 'running' AND runs.visibility = 'public');

-- The requests that can be given to somebody: a claim that has run out is nobody's. One that is passed on together with its
-- thread goes with it.
CREATE VIEW waiting_requests AS
SELECT requests.id, requests.thread, COALESCE(requests.queue, 'support') AS queue, requests.weight, requests.state,
    requests.claimed_until, requests.created_at, threads.language,
    CASE requests.priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END AS rank,
    CASE WHEN requests.kind = 'escalation' AND threads.assignment <> 'ai' THEN 1 ELSE 0 END AS with_thread
FROM requests JOIN threads ON threads.id = requests.thread
WHERE requests.state IN ('open', 'claimed');

CREATE INDEX requests_skilled ON requests (id) WHERE state IN ('open', 'claimed') AND skills <> '[]';
CREATE INDEX operators_available ON operators (id) WHERE presence = 'available' AND disabled_at IS NULL;
