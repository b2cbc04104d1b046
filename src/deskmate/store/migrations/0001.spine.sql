-- The records of the domain. Times are integers: ms since 1970, UTC. JSON is text. Ids are opaque text.

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL DEFAULT '',
    email TEXT,
    anonymous INTEGER NOT NULL DEFAULT 0,
    metadata TEXT NOT NULL DEFAULT '{}',
    created_at BIGINT NOT NULL
);

CREATE TABLE operators (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    skills TEXT NOT NULL DEFAULT '[]',
    languages TEXT NOT NULL DEFAULT '[]',
    queues TEXT NOT NULL DEFAULT '[]',
    capacity DOUBLE PRECISION NOT NULL,
    load DOUBLE PRECISION NOT NULL DEFAULT 0,
    presence TEXT NOT NULL,
    last_assigned_at BIGINT,
    password_hash TEXT,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    customer TEXT REFERENCES customers (id),
    subject TEXT,
    summary TEXT,
    status TEXT NOT NULL,
    snoozed_until BIGINT,
    assignment TEXT NOT NULL,
    holder TEXT,
    holder_name TEXT,
    assigned_at BIGINT NOT NULL,
    assignment_reason TEXT NOT NULL,
    epoch BIGINT NOT NULL DEFAULT 0,
    mode TEXT NOT NULL,
    priority TEXT NOT NULL,
    queue TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    language TEXT,
    waiting_since BIGINT,
    metadata TEXT NOT NULL DEFAULT '{}',
    prompt_order BIGINT NOT NULL DEFAULT -1,
    answered_order BIGINT NOT NULL DEFAULT -1,
    event_seq BIGINT NOT NULL DEFAULT 0,
    preview_message TEXT,
    preview_text TEXT,
    preview_author_kind TEXT,
    preview_author_name TEXT,
    preview_visibility TEXT,
    preview_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX threads_by_age ON threads (created_at, id);
CREATE INDEX threads_by_customer ON threads (customer, created_at, id);
CREATE INDEX threads_by_holder ON threads (holder, status, created_at, id) WHERE assignment = 'operator';
CREATE INDEX threads_waiting ON threads (waiting_since, id) WHERE waiting_since IS NOT NULL;

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    "order" BIGINT NOT NULL,
    step BIGINT NOT NULL,
    role TEXT NOT NULL,
    author_kind TEXT NOT NULL,
    author_id TEXT,
    author_name TEXT NOT NULL DEFAULT '',
    parts TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT '',
    visibility TEXT NOT NULL,
    status TEXT NOT NULL,
    agent_name TEXT,
    model TEXT,
    provider TEXT,
    provider_metadata TEXT,
    usage TEXT,
    error TEXT,
    run TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (thread, "order", step)
);
CREATE INDEX messages_pending ON messages (thread) WHERE status = 'pending';

-- The text of a pending message as it streams: append only, gone when the message is finished.
CREATE TABLE deltas (
    message TEXT NOT NULL REFERENCES messages (id),
    start BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (message, start)
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    agent TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    prompt TEXT,
    prompt_order BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until BIGINT,
    usage TEXT,
    error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX runs_one_running ON runs (thread) WHERE state = 'running';
CREATE INDEX runs_by_thread ON runs (thread, created_at);
CREATE INDEX runs_leased ON runs (lease_until) WHERE state = 'running';

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    run TEXT REFERENCES runs (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    agent TEXT,
    question TEXT,
    call_id TEXT,
    call_message TEXT,
    tool TEXT,
    args TEXT,
    args_digest TEXT,
    draft TEXT,
    reason TEXT,
    suggestion TEXT,
    confidence DOUBLE PRECISION,
    floor DOUBLE PRECISION,
    response_schema TEXT,
    queue TEXT,
    skills TEXT NOT NULL DEFAULT '[]',
    priority TEXT NOT NULL,
    risk TEXT NOT NULL,
    claimed_by TEXT,
    claimed_name TEXT,
    claimed_until BIGINT,
    expires_at BIGINT,
    on_expiry TEXT,
    decision_kind TEXT,
    decision_value TEXT,
    decision_args TEXT,
    decision_text TEXT,
    decision_reason TEXT,
    decision_review TEXT,
    decided_by_kind TEXT,
    decided_by TEXT,
    decided_name TEXT,
    decided_at BIGINT,
    decided_channel TEXT,
    outcome TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX requests_by_thread ON requests (thread, created_at, id);
CREATE INDEX requests_by_run ON requests (run) WHERE run IS NOT NULL;
CREATE INDEX requests_waiting ON requests (created_at, id) WHERE state IN ('open', 'claimed');
CREATE INDEX requests_claimed ON requests (claimed_by, thread) WHERE state = 'claimed';

CREATE TABLE assignments (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    epoch BIGINT NOT NULL,
    cause TEXT NOT NULL,
    "to" TEXT NOT NULL,
    holder TEXT,
    holder_name TEXT,
    reason TEXT NOT NULL,
    note TEXT,
    by_kind TEXT NOT NULL,
    by_id TEXT,
    by_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (thread, epoch)
);

CREATE TABLE routes (
    run TEXT,
    thread TEXT NOT NULL REFERENCES threads (id),
    responder TEXT NOT NULL,
    reason TEXT NOT NULL,
    score DOUBLE PRECISION,
    floor DOUBLE PRECISION,
    inputs TEXT NOT NULL DEFAULT '{}',
    created_at BIGINT NOT NULL
);
CREATE INDEX routes_by_thread ON routes (thread, created_at);

CREATE TABLE usage_entries (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    run TEXT,
    agent TEXT,
    operator TEXT,
    provider TEXT,
    model TEXT,
    input_tokens BIGINT NOT NULL DEFAULT 0,
    output_tokens BIGINT NOT NULL DEFAULT 0,
    seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
    cost_minor BIGINT,
    currency TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX usage_by_thread ON usage_entries (thread);
CREATE INDEX usage_by_age ON usage_entries (created_at, id);

-- Credentials. Secrets are stored as SHA-256 of a 256-bit random token; passwords as argon2id in operators.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    operator TEXT REFERENCES operators (id),
    role TEXT,
    scopes TEXT NOT NULL DEFAULT '[]',
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    operator TEXT NOT NULL REFERENCES operators (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_operator ON sessions (operator);
CREATE TABLE customer_tokens (
    hash TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX customer_tokens_by_customer ON customer_tokens (customer);
CREATE TABLE setup_links (
    hash TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- One row for each write that came with an idempotency key: the same key and body give the same answer.
CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    record TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Background work of the embedded engine. A job names a row and holds no state; its lane is the agent that must be registered.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    lane TEXT NOT NULL DEFAULT '',
    thread TEXT,
    priority INTEGER NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until BIGINT,
    error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (due_at, id);
CREATE INDEX jobs_by_thread ON jobs (thread) WHERE thread IS NOT NULL;
CREATE UNIQUE INDEX jobs_once ON jobs (kind, ref);
