-- The outbox: whether anything is due at all is one look-up, however many organizations there are; and nothing a minute is a limit, too.

-- What is due of all organizations, oldest first. For claims, which ask it before they go through organizations. The arguments are the other
-- way round than in reminders_pending_idx, so that this one is taken by the statement alone that means it.
CREATE INDEX reminders_due_idx ON assignment_reminders.reminders ((greatest(retry_at, scheduled_for))) WHERE status = 'pending';

-- Whether anybody limits their messages.
CREATE INDEX reminder_settings_limited_idx ON assignment_reminders.reminder_settings (organization_id) WHERE messages_per_minute IS NOT NULL;

ALTER TABLE assignment_reminders.reminder_settings
    DROP CONSTRAINT reminder_settings_messages_per_minute_positive,
    ADD CONSTRAINT reminder_settings_messages_per_minute_not_negative CHECK (messages_per_minute >= 0);
COMMENT ON COLUMN assignment_reminders.reminder_settings.messages_per_minute IS
    'The most messages a minute that may be claimed for this organization. 0: none, sending stops. NULL: no limit.';
