-- name: insert
-- A visitor's token.
INSERT INTO customer_tokens (hash, customer, created_at, expires_at) VALUES (:hash, :customer, :now, :expires_at);

-- name: customer
-- Whose token this is, and until when.
SELECT c.id, c.name, t.expires_at FROM customer_tokens AS t
JOIN customers AS c ON c.id = t.customer
WHERE t.hash = :hash AND t.expires_at > :now;

-- name: extend
-- A token in use lives on.
UPDATE customer_tokens SET expires_at = :expires_at WHERE hash = :hash AND expires_at < :expires_at;

-- name: delete
-- A token opens nothing any more.
DELETE FROM customer_tokens WHERE hash = :hash;
