-- The working day: snoozed threads by the time at which they open again.
CREATE INDEX threads_snoozed ON threads (snoozed_until) WHERE status = 'snoozed' AND snoozed_until IS NOT NULL;
