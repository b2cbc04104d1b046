-- name: insert
-- A new request, open.
INSERT INTO requests (id, thread, run, kind, state, agent, question, call_id, call_message, approval, tool, args, args_digest,
    draft, reason, suggestion, confidence, floor, response_schema, queue, skills, priority, risk, expires_at, expires_in, on_expiry,
    default_value, remind_every, remind_at, talk_over, args_schema, idempotent, caused_by, self_approval, approvers,
    weight, created_at, updated_at)
VALUES (:id, :thread, :run, :kind, 'open', :agent, :question, :call_id, :call_message, :approval, :tool, :args, :args_digest,
    :draft, :reason, :suggestion, :confidence, :floor, :response_schema, :queue, :skills, :priority, :risk, :expires_at, :expires_in,
    :on_expiry, :default_value, :remind_every, :remind_at, :talk_over, :args_schema, :idempotent, :caused_by, :self_approval,
    :approvers, :weight, :now, :now)
RETURNING *;

-- name: get
-- One request by its id.
SELECT * FROM requests WHERE id = :id;

-- name: waiting_of_thread
-- What people have to do on a thread: requests that are not yet decided, and those in doubt. Oldest first.
SELECT * FROM requests WHERE thread = :thread AND state IN ('open', 'claimed', 'in_doubt') ORDER BY created_at, id;

-- name: of_thread
-- All requests of a thread, oldest first.
SELECT * FROM requests WHERE thread = :thread ORDER BY created_at, id;

-- name: of_approval
-- The request for an approval that stands in a message of a thread; the newest, where a program gave an id again.
SELECT * FROM requests WHERE thread = :thread AND approval = :approval ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: approved_of_call
-- The approval of a call in a message of a thread, once people have given it and until its result is there.
SELECT * FROM requests
WHERE thread = :thread AND call_id = :call_id AND approval IS NOT NULL AND run IS NULL AND state = 'decided'
ORDER BY created_at, id LIMIT 1;

-- name: waiting_of_call
-- What people have not decided yet about a call of a thread; the newest, where a model gave an id again.
SELECT * FROM requests
WHERE thread = :thread AND call_id = :call_id AND call_message IS NOT NULL AND state IN ('open', 'claimed')
ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: newest_escalation
-- The last escalation of a thread.
SELECT * FROM requests WHERE thread = :thread AND kind = 'escalation' ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: of_message
-- What is not yet decided about a message and its calls, and the calls of it that were approved and have not run.
SELECT * FROM requests
WHERE thread = :thread AND (call_message = :message OR draft = :message)
  AND (state IN ('open', 'claimed') OR (state = 'decided' AND approval IS NOT NULL))
ORDER BY created_at, id;

-- name: answered
-- The message that tells what was decided; the result of the call is still to come.
UPDATE requests SET outcome = :outcome, updated_at = :now WHERE id = :id AND state = 'decided'
RETURNING *;

-- name: waiting_of_run
-- How many requests a run still waits for. A decided one is a call that the run makes when it goes on.
SELECT COUNT(*) AS number FROM requests WHERE run = :run AND state IN ('open', 'claimed', 'applying', 'in_doubt');

-- name: waiting_of_threads
-- The same, of a page of threads.
SELECT * FROM requests
WHERE thread IN (SELECT value FROM json_each(:threads)) AND state IN ('open', 'claimed', 'in_doubt')
ORDER BY created_at, id;

-- name: waiting_of_threads (postgresql)
-- The same.
SELECT * FROM requests
WHERE thread = ANY (ARRAY(SELECT json_array_elements_text(CAST(:threads AS json)))) AND state IN ('open', 'claimed', 'in_doubt')
ORDER BY created_at, id;

-- name: page_waiting
-- What waits for people, longest first, from a place in that order.
SELECT * FROM requests
WHERE state IN ('open', 'claimed') AND (created_at, id) > (:at, :after)
  AND (CAST(:thread AS TEXT) IS NULL OR thread = :thread)
  AND (CAST(:queue AS TEXT) IS NULL OR queue = :queue)
  AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind)
  AND (CAST(:mine AS TEXT) IS NULL OR claimed_by = :mine)
ORDER BY created_at, id
LIMIT :limit;

-- name: page_all
-- All requests, oldest first, from a place in that order; `state` may narrow them.
SELECT * FROM requests
WHERE (created_at, id) > (:at, :after)
  AND (CAST(:state AS TEXT) IS NULL OR state = :state)
  AND (CAST(:thread AS TEXT) IS NULL OR thread = :thread)
  AND (CAST(:queue AS TEXT) IS NULL OR queue = :queue)
  AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind)
  AND (CAST(:mine AS TEXT) IS NULL OR claimed_by = :mine)
ORDER BY created_at, id
LIMIT :limit;

-- name: claim
-- Take a request for a while, under its thread's lock, once it is known that nobody else may keep it.
UPDATE requests
SET state = 'claimed', claimed_by = :by, claimed_name = :name, claimed_until = :until, updated_at = :now
WHERE id = :id AND state IN ('open', 'claimed');

-- name: take
-- Take a request that nobody has, for a while. No row when somebody was faster.
UPDATE requests
SET state = 'claimed', claimed_by = :by, claimed_name = :name, claimed_until = :until, updated_at = :now
WHERE id = :id AND (state = 'open' OR (state = 'claimed' AND claimed_until < :now))
RETURNING *;

-- name: next
-- The request that an operator takes next: the most urgent, then the one that has waited longest, of those they can be given. The
-- lists are as in queues.next_thread; without queues it may be of any, and with skills of * whatever it asks for.
SELECT id, thread, rank, created_at AS since FROM waiting_requests
WHERE (state = 'open' OR claimed_until < :now) AND weight <= :room AND with_thread <= :with_thread
  AND (:queues = '' OR replace(:queues, :line || waiting_requests.queue || :line, '') <> :queues)
  AND (waiting_requests.language IS NULL OR created_at <= :patient OR :languages = ''
       OR replace(:languages, :line || waiting_requests.language || :line, '') <> :languages)
  AND NOT EXISTS (
      SELECT 1 FROM request_skills
      WHERE request_skills.request = waiting_requests.id AND :skills <> '*'
        AND replace(:skills, :line || request_skills.skill || :line, '') = :skills)
  AND NOT EXISTS (
      SELECT 1 FROM choices
      WHERE choices.thread = waiting_requests.thread AND choices.request = waiting_requests.id
        AND choices.operator = :given_to AND choices.missed_at IS NOT NULL)
ORDER BY rank, waiting_requests.created_at, waiting_requests.id
LIMIT 1;

-- name: take_next
-- SQLite has one writer: what `next` has seen is still there, and is taken by its id.
SELECT NULL AS id WHERE FALSE;

-- name: take_next (postgresql)
-- Take the next request, with its thread locked. Those whose thread somebody else holds are passed over, so claimers do not queue for one;
-- no row also when somebody was faster by a moment.
WITH chosen AS (
    SELECT waiting_requests.id FROM waiting_requests JOIN threads AS locked ON locked.id = waiting_requests.thread
    WHERE (state = 'open' OR claimed_until < :now) AND waiting_requests.weight <= :room AND with_thread <= :with_thread
      AND (:queues = '' OR replace(:queues, :line || waiting_requests.queue || :line, '') <> :queues)
      AND (waiting_requests.language IS NULL OR waiting_requests.created_at <= :patient OR :languages = ''
           OR replace(:languages, :line || waiting_requests.language || :line, '') <> :languages)
      AND NOT EXISTS (
          SELECT 1 FROM request_skills
          WHERE request_skills.request = waiting_requests.id AND :skills <> '*'
            AND replace(:skills, :line || request_skills.skill || :line, '') = :skills)
      AND NOT EXISTS (
          SELECT 1 FROM choices
          WHERE choices.thread = waiting_requests.thread AND choices.request = waiting_requests.id
            AND choices.operator = :given_to AND choices.missed_at IS NOT NULL)
    ORDER BY rank, waiting_requests.created_at, waiting_requests.id
    LIMIT 1
    FOR UPDATE OF locked SKIP LOCKED
)
UPDATE requests
SET state = 'claimed', claimed_by = :by, claimed_name = :name, claimed_until = :until, updated_at = :now
FROM chosen
WHERE requests.id = chosen.id AND (requests.state = 'open' OR (requests.state = 'claimed' AND requests.claimed_until < :now))
RETURNING requests.*;

-- name: release
-- Give a claimed request back.
UPDATE requests
SET state = 'open', claimed_by = NULL, claimed_name = NULL, claimed_until = NULL, updated_at = :now
WHERE id = :id AND state = 'claimed';

-- name: decide
-- The compare-and-set that makes a decision happen once.
UPDATE requests
SET state = 'decided', decision_kind = :kind, decision_value = :value, decision_args = :args, decision_text = :text,
    decision_reason = :reason, decision_review = :review, decided_by_kind = :by_kind, decided_by = :by, decided_name = :by_name,
    decided_at = :now, decided_channel = :channel, updated_at = :now
WHERE id = :id AND state IN ('open', 'claimed')
RETURNING *;

-- name: apply
-- The outcome of a decision is a stored message.
UPDATE requests SET state = 'applied', outcome = :outcome, updated_at = :now WHERE id = :id AND state IN ('decided', 'applying')
RETURNING *;

-- name: close
-- Close an undecided request without a decision.
UPDATE requests SET state = :state, updated_at = :now WHERE id = :id AND state IN ('open', 'claimed');

-- name: context
-- The last public words of a thread, newest first.
SELECT * FROM messages
WHERE thread = :thread AND visibility = 'public' AND status = 'success' AND text <> '' AND role IN ('user', 'assistant')
ORDER BY "order" DESC, step DESC
LIMIT :limit;

-- name: results
-- The messages behind a call, on its order, that hold answers to calls.
SELECT * FROM messages
WHERE thread = :thread AND "order" = :order AND step > :step AND role = 'tool'
ORDER BY step;

-- name: of_run
-- All requests of a run, oldest first.
SELECT * FROM requests WHERE run = :run ORDER BY created_at, id;

-- name: approve_first
-- One of two people has approved: whoever comes next has to be another.
UPDATE requests
SET first_approval = :given, state = 'open', claimed_by = NULL, claimed_name = NULL, claimed_until = NULL, updated_at = :now
WHERE id = :id AND state IN ('open', 'claimed')
RETURNING *;

-- name: approved_of_run
-- The calls of a run that were approved and have not run, oldest first.
SELECT * FROM requests WHERE run = :run AND approval IS NOT NULL AND state = 'decided' ORDER BY created_at, id;

-- name: reserve
-- The call runs now: nobody else may run it, whatever becomes of this process.
UPDATE requests
SET state = 'applying', executed_args = :args, executed_digest = :digest, reserved_attempt = :attempt, updated_at = :now
WHERE id = :id AND run = :run AND state = 'decided'
RETURNING *;

-- name: record
-- What came of a call, by whoever reserved it; also where it had been given up, and came back before a person settled it.
UPDATE requests
SET state = :state, outcome = :outcome, updated_at = :now
WHERE id = :id AND reserved_attempt = :attempt AND state IN ('applying', 'in_doubt')
RETURNING *;

-- name: unfinished_of_run
-- The calls of a run that somebody had begun to run.
SELECT * FROM requests WHERE run = :run AND state = 'applying' ORDER BY created_at, id;

-- name: move
-- From one state to another, where nobody was faster.
UPDATE requests SET state = :then, updated_at = :now WHERE id = :id AND state = :state
RETURNING *;

-- name: fail
-- It was not run, and will not be.
UPDATE requests SET state = 'failed', outcome = :outcome, updated_at = :now WHERE id = :id AND state = 'applying';

-- name: settle
-- What a person found out about a call in doubt.
UPDATE requests SET state = :state, outcome = :outcome, updated_at = :now WHERE id = :id AND state = 'in_doubt'
RETURNING *;

-- name: doubtful_of_run
-- The calls of a run that are in doubt.
SELECT * FROM requests WHERE run = :run AND state = 'in_doubt' ORDER BY created_at, id;

-- name: abandoned
-- Calls that somebody began to run a while ago, and whose run nobody holds any more.
SELECT requests.id FROM requests JOIN runs ON runs.id = requests.run
WHERE requests.state = 'applying' AND requests.updated_at < :before
  AND runs.state NOT IN ('running', 'queued')
LIMIT 100;

-- name: expire
-- The time is over, and nobody has decided.
UPDATE requests SET state = 'expired', missed = missed + 1, updated_at = :now
WHERE id = :id AND state IN ('open', 'claimed')
RETURNING *;

-- name: came_of
-- The message that came of it.
UPDATE requests SET outcome = :outcome WHERE id = :id;

-- name: renew
-- The time is over: it is asked again, with a new deadline, and whoever had claimed it has it no more.
UPDATE requests
SET state = 'open', claimed_by = NULL, claimed_name = NULL, claimed_until = NULL, missed = missed + 1, priority = :priority,
    expires_at = :expires_at, updated_at = :now
WHERE id = :id AND state IN ('open', 'claimed')
RETURNING *;

-- name: remind
-- The next reminder is due then.
UPDATE requests SET remind_at = :at WHERE id = :id AND state IN ('open', 'claimed')
RETURNING *;

-- name: overdue
-- Requests that nobody has dealt with although their time was over before this.
SELECT id, thread, expires_at FROM requests
WHERE state IN ('open', 'claimed') AND expires_at IS NOT NULL AND expires_at < :before
ORDER BY expires_at
LIMIT 100;

-- name: renew_claims
-- A sign of life of whoever claimed the requests of a thread.
UPDATE requests SET claimed_until = :until
WHERE thread = :thread AND state = 'claimed' AND claimed_by = :operator AND claimed_until < :until;

-- name: to_queue
-- It waits in another queue, and is nobody's.
UPDATE requests
SET queue = :queue, state = 'open', claimed_by = NULL, claimed_name = NULL, claimed_until = NULL, updated_at = :now
WHERE id = :id AND state IN ('open', 'claimed');

-- name: lapse
-- A claim has run out: the request is nobody's again.
UPDATE requests
SET state = 'open', claimed_by = NULL, claimed_name = NULL, claimed_until = NULL, updated_at = :now
WHERE id = :id AND state = 'claimed' AND claimed_until <= :now
RETURNING *;
