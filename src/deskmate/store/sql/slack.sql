-- name: insert
-- A message that is to stand for a request in one place, once.
INSERT INTO slack_posts (id, request, thread, place, channel, ts, created_at)
VALUES (:id, :request, :thread, :place, :channel, :ts, :now)
ON CONFLICT (id) DO NOTHING;

-- name: of_request
-- The messages that stand for a request.
SELECT id, thread FROM slack_posts WHERE request = :request ORDER BY id;

-- name: get
-- One message.
SELECT * FROM slack_posts WHERE id = :id;

-- name: take
-- Somebody posts it, or changes what it says, for as long as the lease holds. A compare-and-set.
UPDATE slack_posts SET lease_by = :lease_by, lease_until = :lease_until
WHERE id = :id AND (lease_until IS NULL OR lease_until <= :now)
RETURNING *;

-- name: posted
-- Where it is.
UPDATE slack_posts SET channel = :channel, ts = :ts, lease_by = NULL, lease_until = NULL WHERE id = :id AND lease_by = :lease_by;

-- name: release
-- It was not posted.
UPDATE slack_posts SET lease_by = NULL, lease_until = NULL WHERE id = :id AND lease_by = :lease_by;

-- name: drop
-- It is not posted any more.
DELETE FROM slack_posts WHERE id = :id;
