-- Lets a mentor ($1) be away from $2 until $3, for the reason $4. Index: peer_mentors_pkey.
INSERT INTO assignment_reminders.mentor_pauses (organization_id, peer_mentor_id, paused_from, paused_until, reason, paused_by)
SELECT m.organization_id, m.id, $2, $3, $4, assignment_reminders.current_user_id()
  FROM assignment_reminders.peer_mentors m
 WHERE m.id = $1
RETURNING id
