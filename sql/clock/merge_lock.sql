-- Locks the assignments of a mentor ($1), in id order. Index: assignments_peer_mentor_idx.
SELECT a.id FROM assignment_reminders.assignments a WHERE a.peer_mentor_id = $1 ORDER BY a.id FOR NO KEY UPDATE
