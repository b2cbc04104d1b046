-- Load: what an operator holds, kept by the database with every change of a holder, whichever verb makes it.
CREATE FUNCTION deskmate_thread_load() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.assignment = 'operator' AND old.status = 'open' THEN
        UPDATE operators SET load = load - old.weight WHERE id = old.holder;
    END IF;
    IF TG_OP = 'UPDATE' AND new.assignment = 'operator' AND new.status = 'open' THEN
        UPDATE operators SET load = load + new.weight WHERE id = new.holder;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION deskmate_request_load() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state = 'claimed' THEN
        UPDATE operators SET load = load - old.weight WHERE id = old.claimed_by;
    END IF;
    IF TG_OP = 'UPDATE' AND new.state = 'claimed' THEN
        UPDATE operators SET load = load + new.weight WHERE id = new.claimed_by;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER threads_load AFTER UPDATE OF assignment, holder, status, weight ON threads FOR EACH ROW
WHEN ((old.assignment = 'operator' AND old.status = 'open') <> (new.assignment = 'operator' AND new.status = 'open')
    OR (new.assignment = 'operator' AND new.status = 'open'
        AND (old.holder IS DISTINCT FROM new.holder OR old.weight <> new.weight)))
EXECUTE FUNCTION deskmate_thread_load();
CREATE TRIGGER threads_unload AFTER DELETE ON threads FOR EACH ROW
WHEN (old.assignment = 'operator' AND old.status = 'open')
EXECUTE FUNCTION deskmate_thread_load();
CREATE TRIGGER requests_load AFTER UPDATE OF state, claimed_by, weight ON requests FOR EACH ROW
WHEN ((old.state = 'claimed') <> (new.state = 'claimed')
    OR (new.state = 'claimed' AND (old.claimed_by IS DISTINCT FROM new.claimed_by OR old.weight <> new.weight)))
EXECUTE FUNCTION deskmate_request_load();
CREATE TRIGGER requests_unload AFTER DELETE ON requests FOR EACH ROW
WHEN (old.state = 'claimed')
EXECUTE FUNCTION deskmate_request_load();
UPDATE operators SET load =
    COALESCE((SELECT SUM(weight) FROM threads WHERE assignment = 'operator' AND status = 'open' AND holder = operators.id), 0)
    + COALESCE((SELECT SUM(weight) FROM requests WHERE state = 'claimed' AND claimed_by = operators.id), 0);

-- The skills that an undecided request asks for, a row each.
CREATE VIEW request_skills AS
SELECT requests.id AS request, skill.value AS skill
FROM requests, jsonb_array_elements_text(CAST(requests.skills AS jsonb)) AS skill (value)
WHERE requests.state IN ('open', 'claimed') AND requests.skills <> '[]';
