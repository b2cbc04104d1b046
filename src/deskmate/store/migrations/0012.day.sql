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
