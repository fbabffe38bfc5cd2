-- Keeps a message for longer ($1: its reminders, $2: the claim, $3: seconds from now). Returns the reminders to leave out of it.
SELECT lost.id FROM assignment_reminders.extend_reminder_leases($1, $2, make_interval(secs => $3)) AS lost (id)
