-- The clocks of each thread: who owes the next word, since when, and for how long each has; `state` holds all there is to go on
-- from with the next event behind `seq`, the columns what lists, boards and reports ask for.
CREATE TABLE clocks (
    thread TEXT PRIMARY KEY REFERENCES threads (id),
    seq BIGINT NOT NULL,
    phase TEXT NOT NULL,
    since BIGINT NOT NULL,
    ai BIGINT NOT NULL,
    queued BIGINT NOT NULL,
    human BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    paused BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    queue TEXT,
    running TEXT NOT NULL,
    next_at BIGINT,
    state TEXT NOT NULL
);
CREATE INDEX clocks_next ON clocks (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX clocks_running ON clocks (running, queue) WHERE running <> '';

-- What became of each target that has ended; times in ms.
CREATE TABLE clock_outcomes (
    thread TEXT NOT NULL REFERENCES threads (id),
    target TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    queue TEXT,
    policy TEXT NOT NULL,
    allowed BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    met INTEGER NOT NULL
);
CREATE INDEX clock_outcomes_of_thread ON clock_outcomes (thread);
CREATE INDEX clock_outcomes_by_end ON clock_outcomes (target, ended_at);

-- The target that is due first on a thread, for its lists. One that stands still has no time.
ALTER TABLE threads ADD COLUMN due_at BIGINT;
ALTER TABLE threads ADD COLUMN due_target TEXT;
ALTER TABLE threads ADD COLUMN due_breached INTEGER NOT NULL DEFAULT 0;
