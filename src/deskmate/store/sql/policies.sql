-- name: get
-- One policy.
SELECT * FROM policies WHERE kind = :kind AND name = :name;

-- name: of_kind
-- Every policy of a kind, by name.
SELECT * FROM policies WHERE kind = :kind ORDER BY name;

-- name: count
-- How many policies of a kind there are.
SELECT COUNT(*) AS number FROM policies WHERE kind = :kind;

-- name: put
-- A new policy, or other rules for one.
INSERT INTO policies (kind, name, rules, changed_at) VALUES (:kind, :name, :rules, :now)
ON CONFLICT (kind, name) DO UPDATE SET rules = excluded.rules, changed_at = excluded.changed_at;

-- name: delete
-- Forget a policy.
DELETE FROM policies WHERE kind = :kind AND name = :name;

-- name: used
-- A queue that goes by a policy.
SELECT queues.name FROM queues
WHERE (:kind = 'sla' AND queues.sla = :name) OR (:kind = 'response' AND queues.response = :name)
   OR (:kind = 'chain' AND queues.chain = :name)
ORDER BY queues.name LIMIT 1;
