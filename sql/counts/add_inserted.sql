-- Adds inserted assignments to their mentors' counts. The mentors are locked in id order first, which is what keeps
-- batches over the same mentors from deadlocking. Index: peer_mentors_pkey, twice per mentor.
WITH change AS (
    SELECT n.peer_mentor_id AS id, count(*)::integer AS difference
      FROM new_rows n
     WHERE n.peer_mentor_id IS NOT NULL
     GROUP BY n.peer_mentor_id
), locked AS MATERIALIZED (
    SELECT m.id, change.difference
      FROM change
      JOIN assignment_reminders.peer_mentors m ON m.id = change.id
     ORDER BY m.id
       FOR NO KEY UPDATE OF m
)
UPDATE assignment_reminders.peer_mentors m
   SET assignment_count = m.assignment_count + locked.difference, updated_at = now()
  FROM locked
 WHERE m.id = locked.id
