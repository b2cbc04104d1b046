-- name: insert
-- An operator signs in.
INSERT INTO sessions (hash, operator, created_at, expires_at) VALUES (:hash, :operator, :now, :expires_at);

-- name: operator
-- Who signed in with this token, while they may.
SELECT o.* FROM sessions AS s
JOIN operators AS o ON o.id = s.operator
WHERE s.hash = :hash AND s.expires_at > :now AND o.disabled_at IS NULL;

-- name: delete
-- An operator signs out.
DELETE FROM sessions WHERE hash = :hash;

-- name: delete_all
-- An operator is signed out everywhere.
DELETE FROM sessions WHERE operator = :operator;

-- name: delete_expired
-- Sessions that let nobody in any more.
DELETE FROM sessions WHERE operator = :operator AND expires_at <= :now;

-- name: add_link
-- A one-time link for the first admin.
INSERT INTO setup_links (hash, created_at, expires_at) VALUES (:hash, :now, :expires_at);

-- name: link
-- A link that still works.
SELECT hash FROM setup_links WHERE hash = :hash AND used_at IS NULL AND expires_at > :now;

-- name: use_link
-- Using one link uses them all up: there is one first admin.
UPDATE setup_links SET used_at = :now WHERE used_at IS NULL;
