-- Locks every mentor in id order: whoever has counted an assignment but not committed is waited for, and the statement
-- after this one sees it.
SELECT m.id FROM assignment_reminders.peer_mentors m ORDER BY m.id FOR NO KEY UPDATE
