-- name: insert
-- A new operator; nobody where the address is taken.
INSERT INTO operators (id, name, email, role, skills, languages, queues, capacity, presence, password_hash, created_at)
VALUES (:id, :name, :email, :role, :skills, :languages, :queues, :capacity, :presence, :password_hash, :now)
ON CONFLICT (email) DO NOTHING;

-- name: get
-- One operator by their id.
SELECT * FROM operators WHERE id = :id;

-- name: lock
-- One operator, for the rest of this transaction.
SELECT * FROM operators WHERE id = :id;

-- name: lock (postgresql)
-- The same, with the row locked.
SELECT * FROM operators WHERE id = :id FOR UPDATE;

-- name: by_email
-- One operator by their normalised address.
SELECT * FROM operators WHERE email = :email;

-- name: page
-- Operators in the order they came, behind a given one; those who have left only on request.
SELECT * FROM operators
WHERE id > :after AND (disabled_at IS NULL OR :disabled = 1)
ORDER BY id
LIMIT :limit;

-- name: any
-- Whether there is anybody at all.
SELECT 1 AS found FROM operators LIMIT 1;

-- name: lock_admins
-- The admins who can still sign in.
SELECT id FROM operators WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id;

-- name: lock_admins (postgresql)
-- The same, with the rows locked: two admins who remove each other at the same moment must not both succeed.
SELECT id FROM operators WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE;

-- name: change
-- New facts about an operator, unless another has the address. Load is not among them.
UPDATE operators
SET name = :name, email = :email, role = :role, skills = :skills, languages = :languages, queues = :queues, capacity = :capacity
WHERE id = :id AND NOT EXISTS (SELECT 1 FROM operators AS o WHERE o.email = :email AND o.id <> :id);

-- name: password
-- Another password, already hashed.
UPDATE operators SET password_hash = :password_hash WHERE id = :id;

-- name: rehash
-- The same password with newer costs, unless it was changed meanwhile.
UPDATE operators SET password_hash = :password_hash WHERE id = :id AND password_hash = :earlier;

-- name: presence
-- Where an operator is, if that is news.
UPDATE operators SET presence = :presence, auto_away = 0, seen_at = :now
WHERE id = :id AND (presence <> :presence OR auto_away = 1) AND disabled_at IS NULL;

-- name: disable
-- An operator leaves, once.
UPDATE operators SET disabled_at = :now, presence = 'offline' WHERE id = :id AND disabled_at IS NULL;

-- name: enable
-- An operator comes back.
UPDATE operators SET disabled_at = NULL WHERE id = :id AND disabled_at IS NOT NULL;

-- name: team
-- Everybody who works here, for whoever chooses among them.
SELECT * FROM operators WHERE disabled_at IS NULL ORDER BY id LIMIT 1000;

-- name: available
-- Who is here and takes work.
SELECT id FROM operators WHERE presence = 'available' AND disabled_at IS NULL ORDER BY id LIMIT 1000;

-- name: lock_room
-- One operator with room for so much more, for the rest of this transaction.
SELECT * FROM operators WHERE id = :id AND disabled_at IS NULL AND load + :weight <= ROUND(capacity * 100);

-- name: lock_room (postgresql)
-- The same, with the row locked: what they hold stays what it is.
SELECT * FROM operators WHERE id = :id AND disabled_at IS NULL AND load + :weight <= ROUND(capacity * 100) FOR UPDATE;

-- name: lock_room_now
-- The same, of somebody who holds what was seen. SQLite has one writer: everybody does.
SELECT * FROM operators WHERE id = :id AND disabled_at IS NULL AND load = :load AND load + :weight <= ROUND(capacity * 100);

-- name: lock_room_now (postgresql)
-- The same; somebody else may be giving them something at this moment.
SELECT * FROM operators WHERE id = :id AND disabled_at IS NULL AND load = :load AND load + :weight <= ROUND(capacity * 100)
FOR UPDATE SKIP LOCKED;

-- name: overfull
-- Whether this operator holds more than they may.
SELECT 1 AS found FROM operators WHERE id = :id AND load > ROUND(capacity * 100);

-- name: assigned
-- They were given something.
UPDATE operators SET last_assigned_at = :now WHERE id = :id;

-- name: seen
-- A sign of life. Who went away by themselves is back.
UPDATE operators
SET seen_at = :now, presence = CASE WHEN auto_away = 1 AND presence = 'away' THEN 'available' ELSE presence END, auto_away = 0
WHERE id = :id AND disabled_at IS NULL AND (seen_at IS NULL OR seen_at <= :before OR auto_away = 1);

-- name: auto_away
-- Nobody has seen them for a while.
UPDATE operators SET presence = 'away', auto_away = 1
WHERE id = :id AND presence = 'available' AND COALESCE(seen_at, 0) <= :before;

-- name: drifted
-- Operators whose load is not what they hold.
SELECT id, name, load, held FROM (
    SELECT operators.id, operators.name, operators.load,
        COALESCE((SELECT SUM(threads.weight) FROM threads
                  WHERE threads.assignment = 'operator' AND threads.holder = operators.id AND threads.status = 'open'), 0)
        + COALESCE((SELECT SUM(requests.weight) FROM requests
                    WHERE requests.state = 'claimed' AND requests.claimed_by = operators.id), 0) AS held
    FROM operators
) AS counted
WHERE load <> held
ORDER BY id;

-- name: repair
-- Count again what an operator holds.
UPDATE operators SET load =
    COALESCE((SELECT SUM(threads.weight) FROM threads
              WHERE threads.assignment = 'operator' AND threads.holder = operators.id AND threads.status = 'open'), 0)
    + COALESCE((SELECT SUM(requests.weight) FROM requests
                WHERE requests.state = 'claimed' AND requests.claimed_by = operators.id), 0)
WHERE id = :id;

-- name: holds
-- A thread that an operator holds.
SELECT id FROM threads WHERE assignment = 'operator' AND holder = :id AND status = 'open' ORDER BY created_at LIMIT 1;

-- name: claims
-- A request that an operator has claimed.
SELECT id, thread FROM requests WHERE state = 'claimed' AND claimed_by = :id LIMIT 1;
