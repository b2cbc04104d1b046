-- name: get
-- What an actor's earlier write with this idempotency key made.
SELECT digest, status, record FROM idempotency_keys WHERE actor = :actor AND key = :key;

-- name: insert
-- Remember a write by its idempotency key. Answers 0 when another write has taken the key at the same time.
INSERT INTO idempotency_keys (actor, key, digest, status, record, created_at)
VALUES (:actor, :key, :digest, :status, :record, :now)
ON CONFLICT DO NOTHING;
