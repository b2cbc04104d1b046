-- Load: what an operator holds, kept by the database with every change of a holder, whichever verb makes it.
CREATE TRIGGER threads_load AFTER UPDATE OF assignment, holder, status, weight ON threads
WHEN (old.assignment = 'operator' AND old.status = 'open') <> (new.assignment = 'operator' AND new.status = 'open')
    OR (new.assignment = 'operator' AND new.status = 'open' AND (old.holder IS NOT new.holder OR old.weight <> new.weight))
BEGIN
    UPDATE operators SET load = load - old.weight
    WHERE old.assignment = 'operator' AND old.status = 'open' AND id = old.holder;
    UPDATE operators SET load = load + new.weight
    WHERE new.assignment = 'operator' AND new.status = 'open' AND id = new.holder;
END;
CREATE TRIGGER threads_unload AFTER DELETE ON threads
WHEN old.assignment = 'operator' AND old.status = 'open'
BEGIN
    UPDATE operators SET load = load - old.weight WHERE id = old.holder;
END;
CREATE TRIGGER requests_load AFTER UPDATE OF state, claimed_by, weight ON requests
WHEN (old.state = 'claimed') <> (new.state = 'claimed')
    OR (new.state = 'claimed' AND (old.claimed_by IS NOT new.claimed_by OR old.weight <> new.weight))
BEGIN
    UPDATE operators SET load = load - old.weight WHERE old.state = 'claimed' AND id = old.claimed_by;
    UPDATE operators SET load = load + new.weight WHERE new.state = 'claimed' AND id = new.claimed_by;
END;
CREATE TRIGGER requests_unload AFTER DELETE ON requests
WHEN old.state = 'claimed'
BEGIN
    UPDATE operators SET load = load - old.weight WHERE id = old.claimed_by;
END;
UPDATE operators SET load =
    COALESCE((SELECT SUM(weight) FROM threads WHERE assignment = 'operator' AND status = 'open' AND holder = operators.id), 0)
    + COALESCE((SELECT SUM(weight) FROM requests WHERE state = 'claimed' AND claimed_by = operators.id), 0);

-- The skills that an undecided request asks for, a row each.
CREATE VIEW request_skills AS
SELECT requests.id AS request, skill.value AS skill
FROM requests, json_each(requests.skills) AS skill
WHERE requests.state IN ('open', 'claimed') AND requests.skills <> '[]';
