-- Pauses an assignment ($1) from $2 until $3, for the reason $4. Index: assignments_pkey.
INSERT INTO assignment_reminders.assignment_pauses (organization_id, assignment_id, paused_from, paused_until, reason, paused_by)
SELECT a.organization_id, a.id, $2, $3, $4, assignment_reminders.current_user_id()
  FROM assignment_reminders.assignments a
 WHERE a.id = $1
RETURNING id
