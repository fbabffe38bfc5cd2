-- Locks mentors in id order, as add.sql says. $1: mentors. Index: peer_mentors_pkey.
SELECT m.id, m.assignment_count
  FROM assignment_reminders.peer_mentors m
 WHERE m.id = ANY ($1)
 ORDER BY m.id
   FOR NO KEY UPDATE
