-- What operators write with: canned replies, macros, saved views, words not yet sent, mentions; and who gave which file to which thread.

-- `shortcut_key` and `words` are in one case, so that a shortcut is there once and a search finds it however it is spelled.
CREATE TABLE canned (
    id TEXT PRIMARY KEY,
    shortcut TEXT NOT NULL,
    shortcut_key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    words TEXT NOT NULL,
    queue TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE macros (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    actions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- `owner` is null for a shared view that a program made.
CREATE TABLE views (
    id TEXT PRIMARY KEY,
    owner TEXT REFERENCES operators (id),
    name TEXT NOT NULL,
    filters TEXT NOT NULL,
    shared INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX views_by_owner ON views (owner, id);

CREATE TABLE unsent (
    operator TEXT NOT NULL,
    thread TEXT NOT NULL REFERENCES threads (id),
    visibility TEXT NOT NULL,
    text TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (operator, thread, visibility)
);
CREATE INDEX unsent_by_thread ON unsent (thread);

CREATE TABLE mentions (
    id TEXT PRIMARY KEY,
    message TEXT NOT NULL REFERENCES messages (id),
    thread TEXT NOT NULL REFERENCES threads (id),
    operator TEXT NOT NULL,
    at BIGINT NOT NULL,
    read_at BIGINT,
    UNIQUE (message, operator)
);
CREATE INDEX mentions_by_operator ON mentions (operator, at, id);
CREATE INDEX mentions_unread ON mentions (operator, at, id) WHERE read_at IS NULL;
CREATE INDEX mentions_by_thread ON mentions (thread);

-- Files that somebody gave to a thread over HTTP. Those that programs add have none of the three.
ALTER TABLE files ADD COLUMN thread TEXT;
ALTER TABLE files ADD COLUMN added_by_kind TEXT;
ALTER TABLE files ADD COLUMN added_by TEXT;
CREATE INDEX files_by_thread ON files (thread) WHERE thread IS NOT NULL;
