-- name: newest
-- A page of the inbox, newest first, behind a place. Tabs: mine, unassigned (a person is needed and nobody has it), all.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE (threads.created_at, threads.id) < (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
  AND (CAST(:queue AS TEXT) IS NULL OR threads.queue = :queue)
  AND (
    :tab = 'all'
    OR (:tab = 'unassigned' AND threads.waiting_since IS NOT NULL AND threads.assignment <> 'operator'
        AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.thread = threads.id AND requests.state = 'claimed'))
    OR (:tab = 'mine' AND ((threads.assignment = 'operator' AND threads.holder = :me)
        OR threads.id IN (SELECT requests.thread FROM requests WHERE requests.state = 'claimed' AND requests.claimed_by = :me)))
  )
  AND (CAST(:q AS TEXT) IS NULL OR lower(COALESCE(threads.subject, '')) LIKE :q ESCAPE '\'
       OR lower(COALESCE(customers.name, '')) LIKE :q ESCAPE '\' OR lower(COALESCE(threads.preview_text, '')) LIKE :q ESCAPE '\'
       OR threads.id = :exact)
ORDER BY threads.created_at DESC, threads.id DESC
LIMIT :limit;

-- name: waiting
-- The same, longest waiting first; what waits for nobody stands last, newest first.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE (COALESCE(threads.waiting_since, 9000000000000000 - threads.created_at), threads.id) > (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
  AND (CAST(:queue AS TEXT) IS NULL OR threads.queue = :queue)
  AND (
    :tab = 'all'
    OR (:tab = 'unassigned' AND threads.waiting_since IS NOT NULL AND threads.assignment <> 'operator'
        AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.thread = threads.id AND requests.state = 'claimed'))
    OR (:tab = 'mine' AND ((threads.assignment = 'operator' AND threads.holder = :me)
        OR threads.id IN (SELECT requests.thread FROM requests WHERE requests.state = 'claimed' AND requests.claimed_by = :me)))
  )
  AND (CAST(:q AS TEXT) IS NULL OR lower(COALESCE(threads.subject, '')) LIKE :q ESCAPE '\'
       OR lower(COALESCE(customers.name, '')) LIKE :q ESCAPE '\' OR lower(COALESCE(threads.preview_text, '')) LIKE :q ESCAPE '\'
       OR threads.id = :exact)
ORDER BY COALESCE(threads.waiting_since, 9000000000000000 - threads.created_at), threads.id
LIMIT :limit;

-- name: activity
-- The same, last written to first.
SELECT threads.*, customers.name AS customer_name
FROM threads LEFT JOIN customers ON customers.id = threads.customer
WHERE (COALESCE(threads.preview_at, threads.created_at), threads.id) < (:at, :id)
  AND (CAST(:status AS TEXT) IS NULL OR threads.status = :status)
  AND (CAST(:queue AS TEXT) IS NULL OR threads.queue = :queue)
  AND (
    :tab = 'all'
    OR (:tab = 'unassigned' AND threads.waiting_since IS NOT NULL AND threads.assignment <> 'operator'
        AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.thread = threads.id AND requests.state = 'claimed'))
    OR (:tab = 'mine' AND ((threads.assignment = 'operator' AND threads.holder = :me)
        OR threads.id IN (SELECT requests.thread FROM requests WHERE requests.state = 'claimed' AND requests.claimed_by = :me)))
  )
  AND (CAST(:q AS TEXT) IS NULL OR lower(COALESCE(threads.subject, '')) LIKE :q ESCAPE '\'
       OR lower(COALESCE(customers.name, '')) LIKE :q ESCAPE '\' OR lower(COALESCE(threads.preview_text, '')) LIKE :q ESCAPE '\'
       OR threads.id = :exact)
ORDER BY COALESCE(threads.preview_at, threads.created_at) DESC, threads.id DESC
LIMIT :limit;

-- name: counts
-- How many threads each tab holds.
SELECT
  (SELECT COUNT(*) FROM threads WHERE (CAST(:status AS TEXT) IS NULL OR status = :status)) AS all_threads,
  (SELECT COUNT(*) FROM threads
   WHERE waiting_since IS NOT NULL AND assignment <> 'operator' AND (CAST(:status AS TEXT) IS NULL OR status = :status)
     AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.thread = threads.id AND requests.state = 'claimed')) AS unassigned,
  (SELECT COUNT(*) FROM threads
   WHERE ((assignment = 'operator' AND holder = :me)
          OR id IN (SELECT requests.thread FROM requests WHERE requests.state = 'claimed' AND requests.claimed_by = :me))
     AND (CAST(:status AS TEXT) IS NULL OR status = :status)) AS mine;
