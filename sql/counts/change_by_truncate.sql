-- No assignment is left: every count is taken back to zero. Locks the mentors, as lock.sql does.
SELECT m.id, -m.assignment_count AS difference
  FROM assignment_reminders.peer_mentors m
 WHERE m.assignment_count <> 0
 ORDER BY m.id
   FOR NO KEY UPDATE OF m
