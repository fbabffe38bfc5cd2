-- Deletes locked runs ($1). Index: evaluation_runs_pkey.
DELETE FROM assignment_reminders.evaluation_runs r WHERE r.id = ANY ($1) RETURNING r.id
