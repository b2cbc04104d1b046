-- name: insert
-- A link by which an operator can decide a request in one way, once.
INSERT INTO answer_links (hash, request, operator, kind, expires_at) VALUES (:hash, :request, :operator, :kind, :expires_at);

-- name: get
-- A link by the hash of its token.
SELECT * FROM answer_links WHERE hash = :hash;

-- name: use
-- It is used now, unless it was before or its time is over. A compare-and-set.
UPDATE answer_links SET used_at = :now WHERE hash = :hash AND used_at IS NULL AND expires_at > :now;

-- name: old
-- A link whose time has been over for so long that nobody asks what became of it.
SELECT 1 AS found FROM answer_links WHERE expires_at <= :before LIMIT 1;

-- name: sweep
-- All such links.
DELETE FROM answer_links WHERE expires_at <= :before;
