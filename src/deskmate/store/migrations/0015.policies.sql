-- What leads decide by name; how far those have come that act on what happens; which policies a queue goes by.
CREATE TABLE policies (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    rules TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Followers read the feed in its order and act on it, each at its own pace. What had happened before they came stays as it is.
CREATE TABLE followers (
    name TEXT PRIMARY KEY,
    seq BIGINT NOT NULL
);
INSERT INTO followers (name, seq)
SELECT names.name, (SELECT COALESCE(MAX(seq), 0) FROM events)
FROM (
    SELECT 'clocks' AS name UNION ALL SELECT 'responses' UNION ALL SELECT 'chains' UNION ALL SELECT 'notifications'
    UNION ALL SELECT 'webhooks' UNION ALL SELECT 'work'
) AS names;

ALTER TABLE queues ADD COLUMN sla TEXT;
ALTER TABLE queues ADD COLUMN response TEXT;
ALTER TABLE queues ADD COLUMN chain TEXT;

-- Word to one person over one channel. `key` names what it is about, so that nobody is told the same twice.
CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    operator TEXT NOT NULL REFERENCES operators (id),
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    thread TEXT REFERENCES threads (id),
    request TEXT,
    text TEXT NOT NULL,
    urgent INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    due_at BIGINT NOT NULL,
    sent_at BIGINT,
    read_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (key, operator, channel)
);
CREATE INDEX notifications_of_operator ON notifications (operator, created_at, id);
CREATE INDEX notifications_of_thread ON notifications (thread) WHERE thread IS NOT NULL;
