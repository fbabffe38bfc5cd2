-- To whom a reminder was handed out last: what may have gone to somebody else, or to another address, is another message to whoever gets it now.
ALTER TABLE assignment_reminders.reminders ADD COLUMN claimed_for uuid;
COMMENT ON COLUMN assignment_reminders.reminders.claimed_for IS
    'The person whom the last claim handed it out for. NULL: not claimed, or by 0.1.0.';
COMMENT ON COLUMN assignment_reminders.reminders.claimed_email IS
    'The address that the last claim handed out, which its answer is logged with. Empty: they have none, and need none (reminder_settings.address_required), or were forgotten since. NULL: not claimed, or by 0.1.0.';
