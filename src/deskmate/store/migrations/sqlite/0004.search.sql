-- What can be found: the words of finished messages, and their embeddings. `words` are normalised before they come here.
CREATE TABLE searchable (
    id INTEGER PRIMARY KEY,
    message TEXT NOT NULL UNIQUE REFERENCES messages (id),
    thread TEXT NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX searchable_by_thread ON searchable (thread);
CREATE VIRTUAL TABLE searchable_words USING fts5 (
    words, thread, content = 'searchable', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0'
);
CREATE TRIGGER searchable_added AFTER INSERT ON searchable BEGIN
    INSERT INTO searchable_words (rowid, words, thread) VALUES (new.id, new.words, new.thread);
END;
CREATE TRIGGER searchable_removed AFTER DELETE ON searchable BEGIN
    INSERT INTO searchable_words (searchable_words, rowid, words, thread) VALUES ('delete', old.id, old.words, old.thread);
END;
CREATE TRIGGER searchable_changed AFTER UPDATE ON searchable BEGIN
    INSERT INTO searchable_words (searchable_words, rowid, words, thread) VALUES ('delete', old.id, old.words, old.thread);
    INSERT INTO searchable_words (rowid, words, thread) VALUES (new.id, new.words, new.thread);
END;

CREATE TABLE embeddings (
    message TEXT NOT NULL REFERENCES messages (id),
    model TEXT NOT NULL,
    dim BIGINT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (message, model)
);

-- The bytes of files that are kept in the database.
CREATE TABLE file_contents (
    storage TEXT PRIMARY KEY,
    content BLOB NOT NULL
);
