-- The assignments of an organization ($1), as they are.
SELECT a.id, a.peer_mentor_id, a.status, a.created_at FROM assignment_reminders.assignments a WHERE a.organization_id = $1
