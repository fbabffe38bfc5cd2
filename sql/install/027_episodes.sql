-- What changes between enqueueing, claim and send.

ALTER TABLE assignment_reminders.reminders ADD COLUMN previous_sent_at timestamptz,
    ADD CONSTRAINT reminders_previous_sent_at_finite CHECK (isfinite(previous_sent_at));
COMMENT ON COLUMN assignment_reminders.reminders.previous_sent_at IS
    'Of what comes again every day: when it was sent for an earlier day. NULL: never.';

ALTER TABLE assignment_reminders.reminder_settings ADD COLUMN thresholds_changed_at timestamptz;
COMMENT ON COLUMN assignment_reminders.reminder_settings.thresholds_changed_at IS
    'When what calls for follow-ups was changed last: claims look at what waits since before then once more. Kept by a trigger. NULL: never.';

-- At most one send of one episode is recorded. What was logged before 0.2.0 has none.
ALTER TABLE assignment_reminders.send_logs ADD COLUMN episode integer;
COMMENT ON COLUMN assignment_reminders.send_logs.episode IS
    'Of a message that was handed to the provider: the episode of its reminder, of which no other may be. NULL: of other events, and before 0.2.0.';
-- Also finds the logs of a reminder, as the index before it did, which each log cost once more.
CREATE UNIQUE INDEX send_logs_sent_once_key ON assignment_reminders.send_logs (reminder_id, episode);
DROP INDEX assignment_reminders.send_logs_reminder_idx;

COMMENT ON COLUMN assignment_reminders.users.timezone IS 'Any zone that Postgres knows. NULL: the organization''s.';
