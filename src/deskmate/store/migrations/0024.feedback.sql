-- What people did with the AI's words, their own answers, and ratings; each with the words it is about. `key` names what it came
-- from, so that nothing counts twice. `context` holds the last words before, each with its message: what is deleted goes from it.
CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    thread TEXT NOT NULL REFERENCES threads (id),
    message TEXT,
    run TEXT,
    agent TEXT,
    request TEXT,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    question TEXT,
    prompt TEXT,
    prompt_message TEXT,
    context TEXT NOT NULL,
    draft TEXT,
    final TEXT,
    rating TEXT,
    review TEXT,
    by_kind TEXT NOT NULL,
    by_id TEXT,
    by_name TEXT NOT NULL,
    score DOUBLE PRECISION,
    floor DOUBLE PRECISION,
    created_at BIGINT NOT NULL
);
CREATE INDEX feedback_by_thread ON feedback (thread);
CREATE INDEX feedback_by_age ON feedback (created_at, id);

INSERT INTO followers (name, seq) SELECT 'feedback', (SELECT COALESCE(MAX(seq), 0) FROM events);
