-- A trigger of the owner's that moves the assignment just inserted to another mentor counts it away from the first before it was
-- counted there. What holds at the end of the statement counts, and nobody but our triggers writes it.
ALTER TABLE assignment_reminders.peer_mentors DROP CONSTRAINT IF EXISTS peer_mentors_assignment_count_not_negative;
