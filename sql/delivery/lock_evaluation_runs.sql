-- Locks runs ($1) to be deleted, as lock_send_logs.sql does logs. Index: evaluation_runs_pkey.
SELECT r.id FROM assignment_reminders.evaluation_runs r WHERE r.id = ANY ($1) FOR UPDATE SKIP LOCKED
