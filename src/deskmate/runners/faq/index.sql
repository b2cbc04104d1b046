-- The search index of the FAQ agent: it lives in the memory of the process and is built from the files.

-- name: stemmer
-- Words go in, their stems come out of the vocabulary: the Porter stemmer that SQLite brings.
CREATE VIRTUAL TABLE stemmer USING fts5(word, content = '', tokenize = 'porter unicode61 remove_diacritics 2');

-- name: stems
-- What the stemmer made of each word, by the number of the word.
CREATE VIRTUAL TABLE stems USING fts5vocab(stemmer, instance);

-- name: passages
-- One row for each passage: stems of its heading, of the headings above it, and of its text.
CREATE VIRTUAL TABLE passages USING fts5(title, path, body, content = '', tokenize = 'unicode61 remove_diacritics 0');

-- name: stem
-- One word for the stemmer.
INSERT INTO stemmer (rowid, word) VALUES (:number, :word);

-- name: stemmed
-- The stems of the words put in.
SELECT doc AS number, term AS stem FROM stems;

-- name: forget
-- Empties the stemmer.
INSERT INTO stemmer (stemmer) VALUES ('delete-all');

-- name: put
-- One passage.
INSERT INTO passages (rowid, title, path, body) VALUES (:number, :title, :path, :body);

-- name: find
-- The passages that hold any of the stems, best first: a word in a heading weighs more than one in the text.
SELECT rowid AS number, -bm25(passages, 6.0, 3.0, 1.0) AS score FROM passages WHERE passages MATCH :stems ORDER BY score DESC LIMIT :limit;
