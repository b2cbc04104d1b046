-- name: insert
-- One decision who responds, with its inputs, so that it can be replayed.
INSERT INTO routes (run, thread, responder, reason, score, floor, inputs, created_at)
VALUES (:run, :thread, :responder, :reason, :score, :floor, :inputs, :now);

-- name: latest
-- The newest route of a thread.
SELECT * FROM routes WHERE thread = :thread ORDER BY created_at DESC LIMIT 1;
