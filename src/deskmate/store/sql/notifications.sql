-- name: insert
-- Word to one operator over one channel, unless they have had it.
INSERT INTO notifications (
    id, key, operator, channel, kind, thread, request, text, urgent, state, due_at, sent_at, created_at
)
VALUES (
    :id, :key, :operator, :channel, :kind, :thread, :request, :text, :urgent, :state, :due_at, :sent_at, :now
)
ON CONFLICT (key, operator, channel) DO NOTHING;
