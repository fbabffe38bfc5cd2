-- What happened to an assignment ($1) that the caller sees, or whose history they see: $2 rows after the one with these moments ($3, $4) and place among those
-- of the same ($5); one without an event where there are none. Index: assignments_pkey, row_history_pkey, and the function's.
SELECT CASE WHEN t.event IS NOT NULL THEN to_jsonb(t) END AS row
  FROM (SELECT a.id FROM assignment_reminders.assignments a WHERE a.id = $1
         UNION
        SELECT h.row_id FROM assignment_reminders.row_history h WHERE h.row_id = $1 AND h.table_name = 'assignments' AND h.operation = 'delete') AS seen
  LEFT JOIN LATERAL (
       SELECT n.*
         FROM (SELECT t.*, row_number() OVER (PARTITION BY t.happened_at, t.recorded_at ORDER BY t.ordinality)::integer AS number
                 FROM assignment_reminders.assignment_timeline(seen.id) WITH ORDINALITY AS t) AS n
        WHERE $3 IS NULL OR (n.happened_at, n.recorded_at, n.number) > ($3, $4, $5)
        ORDER BY n.ordinality
        LIMIT $2
       ) AS t ON true
 ORDER BY t.ordinality
