-- Writes the true counts over the wrong ones and returns both. Run after lock_all.sql.
UPDATE assignment_reminders.peer_mentors m
   SET assignment_count = wrong.actual_count, updated_at = now()
  FROM assignment_reminders.verify_assignment_counts() AS wrong
 WHERE m.id = wrong.peer_mentor_id
RETURNING m.organization_id, m.id AS peer_mentor_id, wrong.assignment_count AS wrong_count, wrong.actual_count
