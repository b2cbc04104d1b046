-- What is being written, and what messages carry. A stream stands at the position of the message it becomes; its deltas are append
-- only and numbered without gaps, so any reader goes on from the number it knows.

DROP TABLE deltas;

CREATE TABLE streams (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    "order" BIGINT NOT NULL,
    step BIGINT NOT NULL,
    agent_name TEXT,
    run TEXT,
    status TEXT NOT NULL,
    reason TEXT,
    alive_at BIGINT NOT NULL,
    ended_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX streams_by_position ON streams (thread, "order", step);
CREATE INDEX streams_live ON streams (thread) WHERE status = 'streaming';

CREATE TABLE deltas (
    stream TEXT NOT NULL REFERENCES streams (id),
    start BIGINT NOT NULL,
    "end" BIGINT NOT NULL,
    parts TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (stream, start)
);

-- One row for each content under each name. How many messages name a file is counted from message_files, so it never drifts.
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    filename TEXT NOT NULL DEFAULT '',
    media_type TEXT,
    size BIGINT,
    storage TEXT NOT NULL,
    touched_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (hash, filename)
);
CREATE INDEX files_by_touch ON files (touched_at, id);

-- `named` when the message lists the file itself; 0 when only one of its parts shows it.
CREATE TABLE message_files (
    message TEXT NOT NULL REFERENCES messages (id),
    file TEXT NOT NULL REFERENCES files (id),
    named INTEGER NOT NULL,
    PRIMARY KEY (message, file)
);
CREATE INDEX message_files_by_file ON message_files (file);
