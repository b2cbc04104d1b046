-- The working day: snoozed threads by the time at which they open again.
CREATE INDEX threads_snoozed ON threads (snoozed_until) WHERE status = 'snoozed' AND snoozed_until IS NOT NULL;

-- How far people have read each thread: one row for each reader, which only moves on.
CREATE TABLE reads (
    thread TEXT NOT NULL REFERENCES threads (id),
    kind TEXT NOT NULL,
    reader TEXT NOT NULL,
    message TEXT NOT NULL,
    "order" BIGINT NOT NULL,
    step BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (thread, kind, reader)
);

-- Who is on which thread at this moment: a few rows that run out and are swept. They refer to no thread, so that a sign of life
-- waits for nobody who writes on it.
CREATE TABLE viewers (
    thread TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    viewing_until BIGINT NOT NULL,
    typing_until BIGINT NOT NULL,
    typing TEXT NOT NULL,
    until BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (thread, kind, id)
);
