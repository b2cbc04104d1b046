-- name: insert
-- Who was chosen, from whom.
INSERT INTO choices (id, thread, request, queue, operator, operator_name, reason, candidates, created_at)
VALUES (:id, :thread, :request, :queue, :operator, :operator_name, :reason, :candidates, :now);

-- name: of_thread
-- Who was chosen for a thread and the requests on it, newest first.
SELECT * FROM choices WHERE thread = :thread ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: missed
-- They let it lie, or gave it back.
UPDATE choices SET missed_at = :now
WHERE thread = :thread AND operator = :operator AND missed_at IS NULL
  AND ((CAST(:request AS TEXT) IS NULL AND request IS NULL) OR request = :request);

-- name: missers
-- Who let a thread, or a request on it, lie, or gave it back.
SELECT DISTINCT operator FROM choices
WHERE thread = :thread AND missed_at IS NOT NULL
  AND ((CAST(:request AS TEXT) IS NULL AND request IS NULL) OR request = :request);

-- name: owned_up
-- They took it themselves, and let it lie: a queue that gives its work to people does not give them this again.
INSERT INTO choices (id, thread, request, queue, operator, operator_name, reason, candidates, missed_at, created_at)
VALUES (:id, :thread, NULL, :queue, :operator, :operator_name, 'they took it themselves', '[]', :now, :now);
