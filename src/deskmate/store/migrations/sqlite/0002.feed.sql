-- The feed. One writer at a time: the order of writing is the order of commits.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    thread TEXT,
    thread_seq BIGINT,
    type TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    actor_name TEXT NOT NULL DEFAULT '',
    channel TEXT,
    at BIGINT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (thread, thread_seq)
);
CREATE INDEX events_by_thread ON events (thread, seq);
