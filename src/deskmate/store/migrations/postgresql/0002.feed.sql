-- The feed. `seq` is made of the transaction's id, so that a reader can tell which numbers can still appear below one it sees:
-- none below the oldest transaction that is still open. The base lifts the numbers of a cluster whose transaction ids
-- are behind those of the events it was given (a restored dump).
CREATE TABLE feed (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    base BIGINT NOT NULL
);
INSERT INTO feed (id, base) VALUES (1, 0);

CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
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
