-- Deletes locked logs ($1). Index: send_logs_pkey.
DELETE FROM assignment_reminders.send_logs l WHERE l.id = ANY ($1) RETURNING l.id
