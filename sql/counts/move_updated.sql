-- Moves updated assignments between their mentors' counts; most updates change no mentor and so write nothing.
-- Locks as add_inserted.sql does. Index: peer_mentors_pkey, twice per mentor.
WITH change AS (
    SELECT side.id, sum(side.difference)::integer AS difference
      FROM (SELECT n.peer_mentor_id AS id, 1 AS difference FROM new_rows n
            UNION ALL
            SELECT o.peer_mentor_id, -1 FROM old_rows o) AS side
     WHERE side.id IS NOT NULL
     GROUP BY side.id
    HAVING sum(side.difference) <> 0
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
