-- name: insert
-- A new key, by the hash of its secret.
INSERT INTO keys (id, hash, name, operator, role, scopes, expires_at, created_at)
VALUES (:id, :hash, :name, :operator, :role, :scopes, :expires_at, :now);

-- name: get
-- One key by its id.
SELECT id, name, operator, role, scopes, expires_at, revoked_at, last_used_at, created_at FROM keys WHERE id = :id;

-- name: by_hash
-- A key that opens today: not revoked, not expired, its operator still here.
SELECT k.id, k.name, k.operator, k.role, k.scopes, k.expires_at, k.revoked_at, k.last_used_at, k.created_at
FROM keys AS k
LEFT JOIN operators AS o ON o.id = k.operator
WHERE k.hash = :hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now) AND o.disabled_at IS NULL;

-- name: page
-- Keys in the order they were issued, behind a given one.
SELECT id, name, operator, role, scopes, expires_at, revoked_at, last_used_at, created_at FROM keys
WHERE id > :after
ORDER BY id
LIMIT :limit;

-- name: revoke
-- A key opens nothing any more.
UPDATE keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: revoke_named
-- The keys of this name open nothing any more.
UPDATE keys SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL;

-- name: by_name
-- The newest key of this name that opens today.
SELECT id, name, operator, role, scopes, expires_at, revoked_at, last_used_at, created_at FROM keys
WHERE name = :name AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
ORDER BY created_at DESC, id DESC
LIMIT 1;

-- name: used
-- When a key was used, coarsely.
UPDATE keys SET last_used_at = :now WHERE id = :id;
