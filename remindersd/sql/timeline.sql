-- What happened to an assignment ($1) that the caller sees, or whose history they see. Index: assignments_pkey, row_history_pkey, and the function's.
SELECT jsonb_agg(to_jsonb(t) ORDER BY t.ordinality) AS row
  FROM (SELECT a.id FROM assignment_reminders.assignments a WHERE a.id = $1
         UNION
        SELECT h.row_id FROM assignment_reminders.row_history h WHERE h.row_id = $1 AND h.table_name = 'assignments' AND h.operation = 'delete') AS seen
 CROSS JOIN LATERAL assignment_reminders.assignment_timeline(seen.id) WITH ORDINALITY AS t
 GROUP BY seen.id
