-- name: insert
-- A new macro.
INSERT INTO macros (id, name, actions, created_at, updated_at) VALUES (:id, :name, :actions, :now, :now);

-- name: get
-- One macro by its id.
SELECT * FROM macros WHERE id = :id;

-- name: all
-- Every macro: what they say is in their actions.
SELECT * FROM macros ORDER BY id;

-- name: page
-- Macros in the order they were made, behind a given one.
SELECT * FROM macros WHERE id > :after ORDER BY id LIMIT :limit;

-- name: change
-- Another name, or other actions.
UPDATE macros SET name = :name, actions = :actions, updated_at = :now WHERE id = :id;

-- name: delete
-- Remove a macro.
DELETE FROM macros WHERE id = :id;
