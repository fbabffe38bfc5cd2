-- What changed of these rows ($1), each in its order; moments as in timeline_rows.sql, where the change replaced them. $2: the time zone.
-- Index: row_history_pkey.
SELECT h.table_name, h.row_id, h.operation, h.changed_at, (h.changed_at AT TIME ZONE $2)::date::text AS changed_day, h.changed_by, h.changed_by_user,
       h.old_values
       || CASE WHEN h.old_values ? 'created_at' THEN jsonb_build_object(
              'created_micros', CASE WHEN isfinite(m.created_at) THEN (extract(epoch FROM m.created_at) * 1000000)::bigint END,
              'created_day', (m.created_at AT TIME ZONE $2)::date) ELSE '{}' END
       || CASE WHEN h.old_values ? 'occurred_at' THEN jsonb_build_object(
              'occurred_micros', (extract(epoch FROM m.occurred_at) * 1000000)::bigint) ELSE '{}' END
       || CASE WHEN h.old_values ? 'due_at' THEN jsonb_build_object(
              'due_words', to_char(m.due_at AT TIME ZONE $2, 'FMDD FMMonth YYYY HH24:MI')) ELSE '{}' END AS old_values
  FROM assignment_reminders.row_history h
 CROSS JOIN LATERAL (
       SELECT (h.old_values ->> 'created_at')::timestamptz AS created_at, (h.old_values ->> 'occurred_at')::timestamptz AS occurred_at,
              (h.old_values ->> 'due_at')::timestamptz AS due_at
       ) AS m
 WHERE h.row_id = ANY ($1)
   AND h.table_name IN ('assignments', 'activities', 'contact_corrections', 'assignment_pauses', 'mentor_pauses')
 ORDER BY h.row_id, h.changed_at, h.number
