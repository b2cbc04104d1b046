-- What has been imported: a conversation of a source is a thread, once. `stored` counts the messages that are in already.
CREATE TABLE imports (
    source TEXT NOT NULL,
    conversation TEXT NOT NULL,
    digest TEXT NOT NULL,
    thread TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    stored BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (source, conversation)
);
CREATE INDEX imports_by_thread ON imports (thread);
