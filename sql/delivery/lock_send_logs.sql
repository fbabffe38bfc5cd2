-- Locks logs ($1) to be deleted, and returns which; not those that others hold, such as whoever forgets a person. Index: send_logs_pkey.
SELECT l.id FROM assignment_reminders.send_logs l WHERE l.id = ANY ($1) FOR UPDATE SKIP LOCKED
