-- Where programs of others are told what happens, and what each of them is owed. `secret` signs, so it is kept as it is.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until BIGINT,
    events TEXT NOT NULL,
    queues TEXT NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0,
    allow_private INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    reason TEXT,
    failing_since BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- One event for one webhook; its id is the id of the message, whatever it takes to deliver it. A test is no event of the feed.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    webhook TEXT NOT NULL REFERENCES webhooks (id),
    event_seq BIGINT,
    type TEXT NOT NULL,
    thread TEXT,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    lease_by TEXT,
    lease_until BIGINT,
    attempts TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    UNIQUE (webhook, event_seq)
);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook, id);
CREATE INDEX deliveries_by_state ON deliveries (webhook, state, due_at);
CREATE INDEX deliveries_on_their_way ON deliveries (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX deliveries_of_thread ON deliveries (thread) WHERE thread IS NOT NULL;

-- Messages in Slack that stand for a request: in which channel, or with whom, and where they are once they have been posted.
CREATE TABLE slack_posts (
    id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    thread TEXT NOT NULL,
    place TEXT NOT NULL,
    channel TEXT,
    ts TEXT,
    lease_by TEXT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX slack_posts_of_request ON slack_posts (request);
CREATE INDEX slack_posts_of_thread ON slack_posts (thread);
INSERT INTO followers (name, seq) SELECT 'slack', (SELECT COALESCE(MAX(seq), 0) FROM events);
