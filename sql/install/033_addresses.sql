-- Whoever is written to by other ways than mail needs no address.

ALTER TABLE assignment_reminders.reminder_settings ADD COLUMN address_required boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN assignment_reminders.reminder_settings.address_required IS
    'Whether people without an address (users.email) are left out, as no_address. false: a gateway reaches them by their id, as one behind remindersd''s webhook does.';
COMMENT ON COLUMN assignment_reminders.users.email IS
    'Unique within the organization. NULL: cannot be written to, unless reminder_settings.address_required is false.';
COMMENT ON COLUMN assignment_reminders.reminders.claimed_email IS
    'The address that the claim handed out, which its answer is logged with. Empty: they have none, and need none (reminder_settings.address_required). NULL: not claimed, or claimed by 0.1.0.';
