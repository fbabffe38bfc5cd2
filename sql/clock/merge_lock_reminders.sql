-- Locks the reminders of assignments ($1), in the order in which the daily run writes them. Index: reminders_assignment_type_key.
SELECT r.id FROM assignment_reminders.reminders r WHERE r.assignment_id = ANY ($1) ORDER BY r.assignment_id, r.reminder_type FOR NO KEY UPDATE
