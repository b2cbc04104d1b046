-- name: insert
-- One decision who responds, with its inputs, so that it can be replayed.
INSERT INTO routes (run, thread, responder, reason, score, floor, inputs, created_at)
VALUES (:run, :thread, :responder, :reason, :score, :floor, :inputs, :now);
