-- Comments of released migrations that led elsewhere since.
COMMENT ON COLUMN assignment_reminders.reminders.skip_reason IS
    'Why it was not sent: contacted, completed, opted_out, due_moved and others (docs/delivery.md, "When a reminder is skipped").';
COMMENT ON COLUMN assignment_reminders.reminders.anchor IS
    'The moment the reminder counts from: midnight UTC of the contact date (or assigned_on), due_at, or the local day. When it moves, the row is re-armed.';
