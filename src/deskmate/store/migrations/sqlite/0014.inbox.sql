-- The lists of the inbox: on each of them a thread stands once, with its place in every order, so that a page is a walk along an
-- index. Triggers keep them, in the transaction that changes the thread or a request of it.
CREATE TABLE listed (
    thread TEXT NOT NULL,
    list TEXT NOT NULL,
    status TEXT NOT NULL,
    newest BIGINT NOT NULL,
    activity BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    due BIGINT NOT NULL,
    PRIMARY KEY (thread, list)
) WITHOUT ROWID;
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
SELECT threads.id AS thread, item.value AS list,
    status, created_at AS newest, COALESCE(preview_at, created_at) AS activity,
    COALESCE(waiting_since, 9000000000000000 - created_at) AS waiting,
    iif(threads.priority = 'urgent', 0, iif(threads.priority = 'high', 1, iif(threads.priority = 'normal', 2, 3))) * 10000000000000000
        + COALESCE(waiting_since, 9000000000000000 - created_at) AS priority,
    COALESCE(
        (SELECT MIN(requests.expires_at) FROM requests
         WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state <> 'in_doubt'),
        9000000000000000 - created_at
    ) AS due
FROM threads CROSS JOIN json_each(
    '["all"'
    || iif(waiting_since IS NULL OR assignment = 'operator' OR EXISTS (
            SELECT 1 FROM requests
            WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt') AND requests.state = 'claimed'),
        '',
        ',"unassigned"' || iif(queue IS NULL, '', ',' || json_quote('unassigned:' || substr(queue, 1, 200))))
    || iif(queue IS NULL, '', ',' || json_quote('queue:' || substr(queue, 1, 200)))
    || iif(threads.priority = 'normal', '', ',' || json_quote('priority:' || threads.priority))
    || iif(assignment = 'operator' AND holder IS NOT NULL, ',' || json_quote('mine:' || holder), '')
    || COALESCE((
        SELECT group_concat(
            iif(requests.state = 'claimed' AND requests.claimed_by IS NOT NULL, ',' || json_quote('mine:' || requests.claimed_by), '')
            || ',' || json_quote('kind:' || requests.kind), '')
        FROM requests WHERE requests.thread = threads.id AND requests.state IN ('open', 'claimed', 'in_doubt')), '')
    || COALESCE((SELECT group_concat(',' || json_quote('tag:' || substr(tag.value, 1, 200)), '') FROM json_each(threads.tags) AS tag), '')
    || ']'
) AS item;

-- To insert a thread here is to put it on its lists anew. Only what differs is written.
CREATE VIEW relist AS SELECT id AS thread FROM threads;
CREATE TRIGGER relisted INSTEAD OF INSERT ON relist BEGIN
    DELETE FROM listed
    WHERE thread = new.thread AND list NOT IN (SELECT listing.list FROM listing WHERE listing.thread = new.thread);
    INSERT INTO listed (thread, list, status, newest, activity, waiting, priority, due)
    SELECT thread, list, status, newest, activity, waiting, priority, due FROM listing WHERE listing.thread = new.thread
    ON CONFLICT (thread, list) DO UPDATE
    SET status = excluded.status, newest = excluded.newest, activity = excluded.activity, waiting = excluded.waiting,
        priority = excluded.priority, due = excluded.due
    WHERE (listed.status, listed.newest, listed.activity, listed.waiting, listed.priority, listed.due)
        IS NOT (excluded.status, excluded.newest, excluded.activity, excluded.waiting, excluded.priority, excluded.due);
END;
CREATE TRIGGER threads_listed AFTER INSERT ON threads BEGIN
    INSERT INTO relist (thread) VALUES (new.id);
END;
CREATE TRIGGER threads_unlisted AFTER DELETE ON threads BEGIN
    DELETE FROM listed WHERE thread = old.id;
END;
CREATE TRIGGER threads_relisted AFTER UPDATE OF status, assignment, holder, waiting_since, priority, queue, tags, created_at ON threads
WHEN (new.status, new.assignment, new.holder, new.waiting_since, new.priority, new.queue, new.tags, new.created_at)
    IS NOT (old.status, old.assignment, old.holder, old.waiting_since, old.priority, old.queue, old.tags, old.created_at)
BEGIN
    INSERT INTO relist (thread) VALUES (new.id);
END;
CREATE TRIGGER threads_spoken AFTER UPDATE OF preview_at ON threads
WHEN new.preview_at IS NOT old.preview_at
BEGIN
    UPDATE listed SET activity = COALESCE(new.preview_at, new.created_at) WHERE thread = new.id;
END;
CREATE TRIGGER requests_listed AFTER INSERT ON requests BEGIN
    INSERT INTO relist (thread) VALUES (new.thread);
END;
CREATE TRIGGER requests_relisted AFTER UPDATE OF state, claimed_by, expires_at ON requests
WHEN (new.state, new.claimed_by, new.expires_at) IS NOT (old.state, old.claimed_by, old.expires_at)
    AND (new.state IN ('open', 'claimed', 'in_doubt') OR old.state IN ('open', 'claimed', 'in_doubt'))
BEGIN
    INSERT INTO relist (thread) VALUES (new.thread);
END;
CREATE TRIGGER requests_unlisted AFTER DELETE ON requests
WHEN old.state IN ('open', 'claimed', 'in_doubt')
BEGIN
    INSERT INTO relist (thread) VALUES (old.thread);
END;

INSERT INTO listed (thread, list, status, newest, activity, waiting, priority, due)
SELECT thread, list, status, newest, activity, waiting, priority, due FROM listing
WHERE true
ON CONFLICT (thread, list) DO NOTHING;

-- The words of subjects, and of the names of customers, by which threads are found; normalised like those of messages.
CREATE TABLE subject_words (
    thread TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    word TEXT NOT NULL,
    PRIMARY KEY (thread, word)
) WITHOUT ROWID;
CREATE INDEX subject_words_by_word ON subject_words (word, thread);
CREATE TABLE customer_words (
    customer TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    word TEXT NOT NULL,
    PRIMARY KEY (customer, word)
) WITHOUT ROWID;
CREATE INDEX customer_words_by_word ON customer_words (word, customer);
CREATE INDEX customers_by_email ON customers (lower(email)) WHERE email IS NOT NULL;
INSERT INTO subject_words (thread, word)
SELECT DISTINCT threads.id, word.value FROM threads CROSS JOIN json_each(words_of(threads.subject)) AS word;
INSERT INTO customer_words (customer, word)
SELECT DISTINCT customers.id, word.value FROM customers CROSS JOIN json_each(words_of(customers.name)) AS word;
