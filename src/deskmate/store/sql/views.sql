-- name: insert
-- A new view.
INSERT INTO views (id, owner, name, filters, shared, created_at, updated_at)
VALUES (:id, :owner, :name, :filters, :shared, :now, :now);

-- name: get
-- One view by its id.
SELECT * FROM views WHERE id = :id;

-- name: page
-- One's own views and the shared ones, in the order they were made, behind a given one.
SELECT * FROM views
WHERE id > :after AND (shared = 1 OR owner = :owner)
ORDER BY id
LIMIT :limit;

-- name: change
-- Another name, other filters, shared or not.
UPDATE views SET name = :name, filters = :filters, shared = :shared, updated_at = :now WHERE id = :id;

-- name: delete
-- Remove a view.
DELETE FROM views WHERE id = :id;
