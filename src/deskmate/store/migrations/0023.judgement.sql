-- Judgement: routes with everything they were decided from, floors with their versions, what checks have shown, and what classifiers
-- learn from.
ALTER TABLE routes ADD COLUMN id TEXT;
ALTER TABLE routes ADD COLUMN message TEXT;
ALTER TABLE routes ADD COLUMN agent TEXT;
ALTER TABLE routes ADD COLUMN text TEXT;
ALTER TABLE routes ADD COLUMN rules TEXT;
ALTER TABLE routes ADD COLUMN version BIGINT;
ALTER TABLE routes ADD COLUMN audited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE routes ADD COLUMN step TEXT;
ALTER TABLE routes ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';
CREATE UNIQUE INDEX routes_by_id ON routes (id);
CREATE INDEX routes_by_time ON routes (created_at);
CREATE INDEX routes_of_run ON routes (run) WHERE rules IS NOT NULL;
CREATE INDEX routes_of_message ON routes (message) WHERE text IS NOT NULL;
CREATE INDEX routes_scored ON routes (agent, created_at) WHERE score IS NOT NULL;
-- What was in force when a route was decided, kept once however many routes went by it.
CREATE TABLE route_rules (
    digest TEXT PRIMARY KEY,
    rules TEXT NOT NULL
);

CREATE TABLE floors (
    agent TEXT NOT NULL,
    "of" TEXT NOT NULL,
    version BIGINT NOT NULL,
    value DOUBLE PRECISION,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (agent, "of", version)
);

-- What a check has shown of one route: nothing of the customer's words, so it stays when the thread is deleted.
CREATE TABLE labels (
    route TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    "of" TEXT NOT NULL,
    classifier TEXT,
    score DOUBLE PRECISION NOT NULL,
    wrong INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX labels_by_agent ON labels (agent, "of", created_at);

CREATE TABLE examples (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    thread TEXT REFERENCES threads (id),
    text TEXT NOT NULL,
    intent TEXT,
    responder TEXT NOT NULL,
    source TEXT NOT NULL,
    origin TEXT UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE INDEX examples_by_agent ON examples (agent, created_at, id);
CREATE INDEX examples_by_thread ON examples (thread) WHERE thread IS NOT NULL;

-- What has been decided before is history.
INSERT INTO followers (name, seq) SELECT 'floors', (SELECT COALESCE(MAX(seq), 0) FROM events);
