-- What people answer again and again, to be suggested for the FAQ. The words are in the questions, which go with their threads;
-- an accepted one keeps what was accepted.
CREATE TABLE suggestions (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    asked TEXT,
    answered TEXT,
    question TEXT,
    answer TEXT,
    created_at BIGINT NOT NULL,
    opened_at BIGINT,
    last_at BIGINT NOT NULL,
    decided_kind TEXT,
    decided_by TEXT,
    decided_name TEXT,
    decided_at BIGINT,
    reason TEXT
);
CREATE INDEX suggestions_by_state ON suggestions (state, opened_at, id);
CREATE INDEX suggestions_gathering ON suggestions (last_at) WHERE state = 'gathering';

-- What a customer asked and a person answered. One for each message of a customer.
CREATE TABLE suggestion_questions (
    id TEXT PRIMARY KEY,
    suggestion TEXT NOT NULL,
    thread TEXT NOT NULL,
    customer TEXT NOT NULL,
    message TEXT NOT NULL UNIQUE,
    reply TEXT,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    operator TEXT,
    operator_name TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX suggestion_questions_of ON suggestion_questions (suggestion, at);
CREATE INDEX suggestion_questions_of_thread ON suggestion_questions (thread);
CREATE INDEX suggestion_questions_by_reply ON suggestion_questions (reply) WHERE reply IS NOT NULL;

-- The words that a topic is looked up by. Those of an accepted entry are of no thread.
CREATE TABLE suggestion_words (
    word TEXT NOT NULL,
    question TEXT NOT NULL,
    suggestion TEXT NOT NULL,
    thread TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (question, word)
);
CREATE INDEX suggestion_words_by_word ON suggestion_words (word, at);
CREATE INDEX suggestion_words_of ON suggestion_words (suggestion);
CREATE INDEX suggestion_words_of_thread ON suggestion_words (thread) WHERE thread IS NOT NULL;

-- The team's own answers, beside the files of the FAQ.
CREATE TABLE faq_entries (
    id TEXT PRIMARY KEY,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    suggestion TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    by_kind TEXT NOT NULL,
    by_id TEXT,
    by_name TEXT NOT NULL,
    deleted_at BIGINT
);

-- Other words in which customers have asked it. They go with the thread they are from.
CREATE TABLE faq_wordings (
    entry TEXT NOT NULL,
    place BIGINT NOT NULL,
    text TEXT NOT NULL,
    thread TEXT NOT NULL,
    PRIMARY KEY (entry, place)
);
CREATE INDEX faq_wordings_of_thread ON faq_wordings (thread);

-- Rises with every change of the entries, so that agents know when to read them again.
CREATE TABLE faq (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO faq (id, version) VALUES (1, 0);

INSERT INTO followers (name, seq) SELECT 'suggestions', (SELECT COALESCE(MAX(seq), 0) FROM events);
