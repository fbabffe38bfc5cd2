-- The counts of the peer mentors whom the caller sees. Reads them all: they are few beside assignments.
SELECT m.id, m.assignment_count FROM assignment_reminders.peer_mentors m
