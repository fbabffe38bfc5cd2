-- Adds a difference to the count of one mentor. $1: mentor, $2: difference. With one row there is no order to keep, so nothing is
-- locked before it is written. Index: peer_mentors_pkey.
UPDATE assignment_reminders.peer_mentors m
   SET assignment_count = m.assignment_count + $2, updated_at = now()
 WHERE m.id = $1
