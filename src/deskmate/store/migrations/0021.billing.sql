-- What work costs: the prices it was done at, and whom it was done for, as they were at that time. Costs are in billionths of the
-- minor unit. A correction is an entry of its own.
ALTER TABLE usage_entries DROP COLUMN seconds;
ALTER TABLE usage_entries DROP COLUMN cost_minor;
ALTER TABLE usage_entries ADD COLUMN millis BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_entries ADD COLUMN input_price BIGINT;
ALTER TABLE usage_entries ADD COLUMN output_price BIGINT;
ALTER TABLE usage_entries ADD COLUMN rate BIGINT;
ALTER TABLE usage_entries ADD COLUMN cost_nanos BIGINT;
ALTER TABLE usage_entries ADD COLUMN customer TEXT;
ALTER TABLE usage_entries ADD COLUMN queue TEXT;
ALTER TABLE usage_entries ADD COLUMN request TEXT;
ALTER TABLE usage_entries ADD COLUMN begun_at BIGINT;
ALTER TABLE usage_entries ADD COLUMN corrects TEXT;
ALTER TABLE usage_entries ADD COLUMN reason TEXT;
UPDATE usage_entries SET customer = (SELECT threads.customer FROM threads WHERE threads.id = usage_entries.thread);
CREATE INDEX usage_of_customer ON usage_entries (customer, created_at);
CREATE INDEX usage_corrections ON usage_entries (corrects) WHERE corrects IS NOT NULL;
ALTER TABLE runs DROP COLUMN usage;

-- What each operator is at, from their signs of activity.
CREATE TABLE work (
    operator TEXT PRIMARY KEY,
    thread TEXT,
    request TEXT,
    begun BIGINT,
    last BIGINT,
    counted BIGINT NOT NULL DEFAULT 0,
    ended_on TEXT,
    ended_at BIGINT NOT NULL DEFAULT 0
);

-- Signs of typing that nobody has counted yet. Acts are in the feed.
CREATE TABLE signs (
    operator TEXT NOT NULL,
    thread TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (operator, at, thread)
);
CREATE INDEX signs_of_thread ON signs (thread);
