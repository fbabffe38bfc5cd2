-- Attempts: that nobody answered is worth a record, and is no contact.

ALTER TABLE assignment_reminders.activities ADD COLUMN is_contact boolean NOT NULL DEFAULT true;

COMMENT ON TABLE assignment_reminders.activities IS
    'Registered contacts, and attempts. The insert of a contact moves the assignment''s last_contact_date forward; a change or delete recomputes it.';
COMMENT ON COLUMN assignment_reminders.activities.is_contact IS
    'false: an attempt that nobody answered. It is on record, moves no contact date and withdraws no reminder.';
COMMENT ON COLUMN assignment_reminders.activities.overruled_by IS
    'The correction that declared this contact wrong; it then no longer counts. NULL: counts. A move to another assignment makes it NULL.';
