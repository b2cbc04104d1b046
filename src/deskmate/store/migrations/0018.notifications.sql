-- Word on its way to somebody, what operators want for themselves, and links by which a request can be decided from outside.
-- A row that is queued is sent by whoever has moved `sending_until`; `attempts` says which attempt it is, and fences the others.
ALTER TABLE notifications ADD COLUMN sending_until BIGINT;
CREATE INDEX notifications_queued ON notifications (due_at) WHERE state = 'queued';
CREATE INDEX notifications_dead ON notifications (created_at, id) WHERE state = 'dead';
CREATE INDEX notifications_unread ON notifications (operator) WHERE channel = 'inbox' AND read_at IS NULL;

CREATE TABLE notification_preferences (
    operator TEXT PRIMARY KEY REFERENCES operators (id),
    rules TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- The token itself is in one mail and nowhere else.
CREATE TABLE answer_links (
    hash TEXT PRIMARY KEY,
    request TEXT NOT NULL REFERENCES requests (id),
    operator TEXT NOT NULL REFERENCES operators (id),
    kind TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX answer_links_of_request ON answer_links (request);
CREATE INDEX answer_links_expired ON answer_links (expires_at);
