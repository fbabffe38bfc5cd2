-- What inserted assignments add to their mentors' counts. Locks the mentors, as add.sql says. Index: peer_mentors_pkey.
WITH change AS (
    SELECT n.peer_mentor_id AS id, count(*)::integer AS difference
      FROM new_rows n
     WHERE n.peer_mentor_id IS NOT NULL
     GROUP BY n.peer_mentor_id
)
SELECT m.id, change.difference
  FROM change
  JOIN assignment_reminders.peer_mentors m ON m.id = change.id
 ORDER BY m.id
   FOR NO KEY UPDATE OF m
