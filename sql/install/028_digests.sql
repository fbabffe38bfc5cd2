-- Digests: one message for all that is due to a person, in their language; and what students are told of due dates is found before all else.

ALTER TABLE assignment_reminders.user_preferences ADD COLUMN digest boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN assignment_reminders.user_preferences.digest IS
    'True: gets one message for all that is due at once, from workers that claim digests. False: one for each reminder.';

ALTER TABLE assignment_reminders.organizations
    ADD COLUMN locale text,
    ADD CONSTRAINT organizations_locale_is_tag CHECK (locale ~ '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$');
COMMENT ON COLUMN assignment_reminders.organizations.locale IS
    'The language of messages to its people, as a tag such as nb-NO, for those who have none of their own. For workers. NULL: not told.';

ALTER TABLE assignment_reminders.users
    ADD COLUMN locale text,
    ADD CONSTRAINT users_locale_is_tag CHECK (locale ~ '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$');
COMMENT ON COLUMN assignment_reminders.users.locale IS
    'The language of messages to this person, as a tag such as nb-NO. For workers. NULL: the organization''s.';

-- What waits for the students of assignments, of each organization, oldest first: where a rate limit binds, it goes before all that names its recipient. The
-- same moment as in reminders_pending_idx and reminders_due_idx, in other words: each is taken by the statements alone that mean it.
CREATE INDEX reminders_students_idx ON assignment_reminders.reminders (organization_id, (greatest(scheduled_for, retry_at, scheduled_for)), number)
    WHERE status = 'pending' AND recipient_id IS NULL;

-- What waits for each person, the oldest first, before all that was sent to them. It goes on serving the foreign key.
DROP INDEX assignment_reminders.reminders_recipient_idx;
CREATE INDEX reminders_recipient_idx ON assignment_reminders.reminders
    (recipient_id, (status = 'pending'), (greatest(scheduled_for, retry_at))) WHERE recipient_id IS NOT NULL;
