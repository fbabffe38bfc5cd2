-- What updated assignments move between their mentors' counts; most updates change no mentor, and lock none.
-- Locks the mentors, as add.sql says. Index: peer_mentors_pkey.
WITH change AS (
    SELECT side.id, sum(side.difference)::integer AS difference
      FROM (SELECT n.peer_mentor_id AS id, 1 AS difference FROM new_rows n
            UNION ALL
            SELECT o.peer_mentor_id, -1 FROM old_rows o) AS side
     WHERE side.id IS NOT NULL
     GROUP BY side.id
    HAVING sum(side.difference) <> 0
)
SELECT m.id, change.difference
  FROM change
  JOIN assignment_reminders.peer_mentors m ON m.id = change.id
 ORDER BY m.id
   FOR NO KEY UPDATE OF m
