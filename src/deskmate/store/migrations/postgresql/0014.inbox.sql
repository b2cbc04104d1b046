-- The lists of the inbox: on each of them a thread stands once, with its place in every order, so that a page is a walk along an
-- index. Triggers keep them, in the transaction that changes the thread or a request of it. Text is ordered by its bytes, as
-- SQLite and Python do.
CREATE TABLE listed (
    thread TEXT COLLATE "C" NOT NULL,
    list TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL,
    newest BIGINT NOT NULL,
    activity BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    due BIGINT NOT NULL,
    PRIMARY KEY (thread, list)
);
CREATE INDEX listed_newest ON listed (list, status, newest, thread);
CREATE INDEX listed_activity ON listed (list, status, activity, thread);
CREATE INDEX listed_waiting ON listed (list, status, waiting, thread);
CREATE INDEX listed_priority ON listed (list, status, priority, thread);
CREATE INDEX listed_due ON listed (list, status, due, thread);

-- What people have to do on a thread, however many requests it has had.
CREATE INDEX requests_of_people ON requests (thread, created_at, id) WHERE state IN ('open', 'claimed', 'in_doubt');

-- The lists on which each thread belongs, and where it stands there in each order. What nobody waits for, and what is never due,
-- stands behind all that is, newest first. The normal priority has no list: it is what the other three leave.
CREATE VIEW listing AS
SELECT threads.id AS thread, item.list,
    status, created_at AS newest, COALESCE(preview_at, created_at) AS activity,
    COALESCE(waiting_since, 9000000000000000 - created_at) AS waiting,
    CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END * 10000000000000000
        + COALESCE(waiting_since, 9000000000000000 - created_at) AS priority,
    COALESCE(
        (SELECT MIN(requests.expires_at) FROM requests
         WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state <> 'in_doubt'),
        9000000000000000 - created_at
    ) AS due
FROM threads CROSS JOIN LATERAL unnest(
    ARRAY['all']
    || CASE WHEN waiting_since IS NOT NULL AND assignment <> 'operator' AND NOT EXISTS (
            SELECT 1 FROM requests
            WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state = 'claimed')
        THEN ARRAY['unassigned', 'unassigned:' || substr(queue, 1, 200)] END
    || ARRAY['queue:' || substr(queue, 1, 200)]
    || CASE WHEN priority <> 'normal' THEN ARRAY['priority:' || priority] END
    || CASE WHEN assignment = 'operator' THEN ARRAY['mine:' || holder] END
    || ARRAY(
        SELECT DISTINCT 'kind:' || requests.kind FROM requests
        WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt'))
    || ARRAY(
        SELECT DISTINCT 'mine:' || requests.claimed_by FROM requests
        WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state = 'claimed'
          AND NOT (threads.assignment = 'operator' AND requests.claimed_by = threads.holder))
    || ARRAY(SELECT DISTINCT 'tag:' || substr(tag.value, 1, 200) FROM json_array_elements_text(CAST(threads.tags AS json)) AS tag (value))
) AS item (list)
WHERE item.list IS NOT NULL;

-- Put a thread on its lists anew. Only what differs is written. Whoever writes to a thread or a request holds the thread's row.
CREATE FUNCTION relist(wanted TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM listed
    WHERE listed.thread = wanted AND listed.list NOT IN (SELECT listing.list FROM listing WHERE listing.thread = wanted);
    INSERT INTO listed AS was (thread, list, status, newest, activity, waiting, priority, due)
    SELECT thread, list, status, newest, activity, waiting, priority, due FROM listing WHERE listing.thread = wanted
    ON CONFLICT (thread, list) DO UPDATE
    SET status = excluded.status, newest = excluded.newest, activity = excluded.activity, waiting = excluded.waiting,
        priority = excluded.priority, due = excluded.due
    WHERE (was.status, was.newest, was.activity, was.waiting, was.priority, was.due)
        IS DISTINCT FROM (excluded.status, excluded.newest, excluded.activity, excluded.waiting, excluded.priority, excluded.due);
END
$$;
CREATE FUNCTION thread_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM relist(new.id);
    RETURN NULL;
END
$$;
CREATE FUNCTION thread_unlisted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM listed WHERE thread = old.id;
    RETURN NULL;
END
$$;
CREATE FUNCTION thread_spoken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE listed SET activity = COALESCE(new.preview_at, new.created_at) WHERE thread = new.id;
    RETURN NULL;
END
$$;
CREATE FUNCTION request_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM relist(COALESCE(new.thread, old.thread));
    RETURN NULL;
END
$$;
CREATE TRIGGER threads_listed AFTER INSERT ON threads FOR EACH ROW EXECUTE FUNCTION thread_listed();
CREATE TRIGGER threads_unlisted AFTER DELETE ON threads FOR EACH ROW EXECUTE FUNCTION thread_unlisted();
CREATE TRIGGER threads_relisted
AFTER UPDATE OF status, assignment, holder, waiting_since, priority, queue, tags, created_at ON threads FOR EACH ROW
WHEN ((new.status, new.assignment, new.holder, new.waiting_since, new.priority, new.queue, new.tags, new.created_at)
    IS DISTINCT FROM (old.status, old.assignment, old.holder, old.waiting_since, old.priority, old.queue, old.tags, old.created_at))
EXECUTE FUNCTION thread_listed();
CREATE TRIGGER threads_spoken AFTER UPDATE OF preview_at ON threads FOR EACH ROW
WHEN (new.preview_at IS DISTINCT FROM old.preview_at)
EXECUTE FUNCTION thread_spoken();
CREATE TRIGGER requests_listed AFTER INSERT ON requests FOR EACH ROW EXECUTE FUNCTION request_listed();
CREATE TRIGGER requests_relisted AFTER UPDATE OF state, claimed_by, expires_at ON requests FOR EACH ROW
WHEN ((new.state, new.claimed_by, new.expires_at) IS DISTINCT FROM (old.state, old.claimed_by, old.expires_at)
    AND (new.state IN ('open', 'claimed', 'in_doubt') OR old.state IN ('open', 'claimed', 'in_doubt')))
EXECUTE FUNCTION request_listed();
CREATE TRIGGER requests_unlisted AFTER DELETE ON requests FOR EACH ROW
WHEN (old.state IN ('open', 'claimed', 'in_doubt'))
EXECUTE FUNCTION request_listed();

INSERT INTO listed (thread, list, status, newest, activity, waiting, priority, due)
SELECT thread, list, status, newest, activity, waiting, priority, due FROM listing;

-- The words of subjects, and of the names of customers, by which threads are found; normalised like those of messages.
CREATE TABLE subject_words (
    thread TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    word TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (thread, word)
);
CREATE INDEX subject_words_by_word ON subject_words (word, thread);
CREATE TABLE customer_words (
    customer TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    word TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (customer, word)
);
CREATE INDEX customer_words_by_word ON customer_words (word, customer);
CREATE INDEX customers_by_email ON customers (lower(email)) WHERE email IS NOT NULL;

-- What domain/search.py does to text, as near as this engine comes to it; for what is here already.
CREATE FUNCTION words_of(said TEXT) RETURNS SETOF TEXT LANGUAGE sql AS $$
    SELECT DISTINCT left(word, 64)
    FROM regexp_split_to_table(
        regexp_replace(
            lower(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]', '', 'g')),
            '([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])', ' \1 ', 'g'),
        '[^[:alnum:]]+') AS word
    WHERE word <> ''
$$;
INSERT INTO subject_words (thread, word)
SELECT threads.id, word FROM threads CROSS JOIN words_of(threads.subject) AS word WHERE threads.subject IS NOT NULL;
INSERT INTO customer_words (customer, word)
SELECT customers.id, word FROM customers CROSS JOIN words_of(customers.name) AS word;
DROP FUNCTION words_of(TEXT);
