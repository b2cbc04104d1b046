-- Timers of operators who have to answer, and escalation chains.

-- An operator has to answer on this thread. `seq` is the event since which, `step` the action that comes at `due_at`. The follower
-- writes it without the lock of the thread: so it has no reference, which would lock it, and whoever finds one of a thread that is
-- gone forgets it.
CREATE TABLE responses (
    thread TEXT PRIMARY KEY,
    operator TEXT NOT NULL,
    queue TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    rules TEXT NOT NULL,
    step INTEGER NOT NULL DEFAULT 0,
    missed TEXT NOT NULL DEFAULT '[]',
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX responses_due ON responses (due_at);

-- How many customers in a row an operator has let wait for too long, over all threads.
CREATE TABLE misses (
    operator TEXT PRIMARY KEY,
    number INTEGER NOT NULL
);

-- A chain as it runs: the steps it began with, and the one that comes at `due_at`. `seq` is the event that began it.
CREATE TABLE chains (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    request TEXT,
    about TEXT NOT NULL,
    queue TEXT NOT NULL,
    policy TEXT NOT NULL,
    steps TEXT NOT NULL,
    step INTEGER NOT NULL,
    round INTEGER NOT NULL DEFAULT 1,
    due_at BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT 'running',
    epoch INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    paged TEXT NOT NULL DEFAULT '[]',
    given TEXT,
    ended_by_kind TEXT,
    ended_by TEXT,
    ended_by_name TEXT,
    reason TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX chains_of_waiting_thread ON chains (thread) WHERE state = 'running' AND request IS NULL;
CREATE UNIQUE INDEX chains_of_waiting_request ON chains (request) WHERE state = 'running' AND request IS NOT NULL;
CREATE UNIQUE INDEX chains_begun ON chains (seq);
CREATE INDEX chains_by_thread ON chains (thread, id);
CREATE INDEX chains_due ON chains (due_at) WHERE state = 'running';
