-- What classifiers were fitted to, as they were saved: the newest of an agent is in force.
CREATE TABLE classifiers (
    agent TEXT NOT NULL,
    number BIGINT NOT NULL,
    version TEXT NOT NULL,
    examples BIGINT NOT NULL,
    intents BIGINT NOT NULL,
    body BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (agent, number)
);
