-- No assignment is left: every count is zero.
WITH locked AS MATERIALIZED (
    SELECT m.id
      FROM assignment_reminders.peer_mentors m
     WHERE m.assignment_count <> 0
     ORDER BY m.id
       FOR NO KEY UPDATE OF m
)
UPDATE assignment_reminders.peer_mentors m
   SET assignment_count = 0, updated_at = now()
  FROM locked
 WHERE m.id = locked.id
