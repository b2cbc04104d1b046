-- What can be found: the words of finished messages, and their embeddings. `words` are normalised before they come here.
CREATE TABLE searchable (
    message TEXT PRIMARY KEY REFERENCES messages (id),
    thread TEXT NOT NULL,
    words TSVECTOR NOT NULL
);
CREATE INDEX searchable_words ON searchable USING gin (words);
CREATE INDEX searchable_by_thread ON searchable (thread);

CREATE TABLE embeddings (
    message TEXT NOT NULL REFERENCES messages (id),
    model TEXT NOT NULL,
    dim BIGINT NOT NULL,
    vector BYTEA NOT NULL,
    PRIMARY KEY (message, model)
);

-- The bytes of files that are kept in the database.
CREATE TABLE file_contents (
    storage TEXT PRIMARY KEY,
    content BYTEA NOT NULL
);
