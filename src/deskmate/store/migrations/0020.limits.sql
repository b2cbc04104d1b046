-- How far budgets are used up: a row for each window, with what was `used` in it, or for each bucket (`start` is -1), with its
-- `level` at a time, in units of one use times one millisecond of the period.
CREATE TABLE limit_counters (
    policy TEXT NOT NULL,
    counted TEXT NOT NULL,
    subject TEXT NOT NULL,
    period BIGINT NOT NULL,
    start BIGINT NOT NULL,
    used BIGINT NOT NULL DEFAULT 0,
    level BIGINT NOT NULL DEFAULT 0,
    capacity BIGINT NOT NULL,
    refill BIGINT NOT NULL,
    at BIGINT NOT NULL,
    refused BIGINT NOT NULL DEFAULT 0,
    told_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (policy, counted, subject, period, start)
);

-- What is put aside for a run until it is known what it has used.
CREATE TABLE limit_reserves (
    run TEXT NOT NULL REFERENCES runs (id),
    policy TEXT NOT NULL,
    subject TEXT NOT NULL,
    amount BIGINT NOT NULL,
    thread TEXT NOT NULL REFERENCES threads (id),
    PRIMARY KEY (run, policy)
);
CREATE INDEX limit_reserves_of_thread ON limit_reserves (thread);

-- Why escalations that a limit holds for were asked for.
CREATE TABLE limit_reasons (
    policy TEXT NOT NULL,
    subject TEXT NOT NULL,
    thread TEXT NOT NULL REFERENCES threads (id),
    agent TEXT,
    reason TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX limit_reasons_by_time ON limit_reasons (policy, subject, at);
CREATE INDEX limit_reasons_of_thread ON limit_reasons (thread);
CREATE INDEX limit_reasons_by_age ON limit_reasons (at);

-- Escalations past their budget. Each happens when its time has come, unless people have dealt with its thread.
CREATE TABLE deferrals (
    thread TEXT PRIMARY KEY REFERENCES threads (id),
    epoch INTEGER NOT NULL,
    policy TEXT NOT NULL,
    asked TEXT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id TEXT,
    by_name TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX deferrals_by_time ON deferrals (due_at);
CREATE INDEX deferrals_of_policy ON deferrals (policy);
