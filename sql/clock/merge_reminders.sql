-- What was sent to a mentor ($2), of locked reminders ($1), was sent to $3. Index: reminders_pkey, peer_mentors_pkey.
UPDATE assignment_reminders.reminders r
   SET peer_mentor_id = $3,
       recipient_id = CASE WHEN r.recipient_id = before.user_id THEN after.user_id ELSE r.recipient_id END,
       updated_at = now()
  FROM assignment_reminders.peer_mentors before, assignment_reminders.peer_mentors after
 WHERE r.id = ANY ($1) AND before.id = $2 AND after.id = $3
   AND (r.peer_mentor_id = $2 OR r.peer_mentor_id IS NULL AND r.recipient_id = before.user_id)
