-- name: ensure
-- A customer known by the id of the caller's own system; one that is known already stays as it is.
INSERT INTO customers (id, name, email, anonymous, metadata, created_at)
VALUES (:id, :name, :email, :anonymous, :metadata, :now)
ON CONFLICT (id) DO NOTHING;

-- name: get
-- One customer by its id.
SELECT * FROM customers WHERE id = :id;

-- name: change
-- Another name or address.
UPDATE customers SET name = :name, email = :email, metadata = :metadata WHERE id = :id;

-- name: page
-- Customers who have threads, by id, behind a given one.
SELECT * FROM customers
WHERE id > :after AND EXISTS (SELECT 1 FROM threads WHERE threads.customer = customers.id)
ORDER BY id
LIMIT :limit;

-- name: threads
-- The threads of a customer.
SELECT id FROM threads WHERE customer = :id ORDER BY created_at, id;

-- name: delete_tokens
-- The credentials of a customer.
DELETE FROM customer_tokens WHERE customer = :id;

-- name: delete
-- Remove a customer who has no threads.
DELETE FROM customers WHERE id = :id;
