-- What the timeline of an assignment ($1) tells of, as it is now (version, NULL: gone): the assignment, its contacts, corrections and pauses, also those that
-- belonged to it before, and the pauses of every mentor that it had. Moments stand beside their columns in microseconds, and as days and words in the time zone $2.
-- Indexes: row_history_pkey, row_history_belongs_to_idx; activities_assignment_idx, contact_corrections_assignment_number_key, assignment_pauses_assignment_idx,
-- mentor_pauses_peer_mentor_idx, users_auth_user_key; primary keys.
WITH mentor AS MATERIALIZED (
    SELECT a.peer_mentor_id AS id FROM assignment_reminders.assignments a WHERE a.id = $1 AND a.peer_mentor_id IS NOT NULL
     UNION
    SELECT (h.old_values ->> 'peer_mentor_id')::uuid FROM assignment_reminders.row_history h
     WHERE h.row_id = $1 AND h.table_name = 'assignments' AND h.old_values ->> 'peer_mentor_id' IS NOT NULL
), told AS MATERIALIZED (
    SELECT 'assignments' AS table_name, $1 AS row_id
     UNION
    SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
     WHERE h.belongs_to = $1 AND h.table_name IN ('activities', 'contact_corrections', 'assignment_pauses')
     UNION
    SELECT 'activities', t.id FROM assignment_reminders.activities t WHERE t.assignment_id = $1
     UNION
    SELECT 'contact_corrections', c.id FROM assignment_reminders.contact_corrections c WHERE c.assignment_id = $1
     UNION
    SELECT 'assignment_pauses', p.id FROM assignment_reminders.assignment_pauses p WHERE p.assignment_id = $1
     UNION
    SELECT h.table_name, h.row_id
      FROM mentor m
      JOIN assignment_reminders.row_history h ON h.belongs_to = m.id AND h.table_name = 'mentor_pauses'
     UNION
    SELECT 'mentor_pauses', p.id
      FROM mentor m
      JOIN assignment_reminders.mentor_pauses p ON p.peer_mentor_id = m.id
)
SELECT t.table_name, t.row_id,
       v.version || jsonb_build_object(
           'created_micros', CASE WHEN isfinite(m.created_at) AND m.created_at < '250000-01-01' THEN (extract(epoch FROM m.created_at) * 1000000)::bigint END,
           'created_day', (m.created_at AT TIME ZONE $2)::date,
           'occurred_micros', (extract(epoch FROM m.occurred_at) * 1000000)::bigint,
           'occurred_day', to_char(m.occurred_at AT TIME ZONE $2, 'FMDD FMMonth YYYY'),
           'corrected_by_user', m.corrected_by_user,
           'due_words', to_char(m.due_at AT TIME ZONE $2, 'FMDD FMMonth YYYY HH24:MI')) AS version
  FROM told t
  LEFT JOIN LATERAL (
       SELECT to_jsonb(r.*) AS version FROM assignment_reminders.assignments r WHERE t.table_name = 'assignments' AND r.id = t.row_id
        UNION ALL
       SELECT to_jsonb(r.*) FROM assignment_reminders.activities r WHERE t.table_name = 'activities' AND r.id = t.row_id
        UNION ALL
       SELECT to_jsonb(r.*) FROM assignment_reminders.contact_corrections r WHERE t.table_name = 'contact_corrections' AND r.id = t.row_id
        UNION ALL
       SELECT to_jsonb(r.*) FROM assignment_reminders.assignment_pauses r WHERE t.table_name = 'assignment_pauses' AND r.id = t.row_id
        UNION ALL
       SELECT to_jsonb(r.*) FROM assignment_reminders.mentor_pauses r WHERE t.table_name = 'mentor_pauses' AND r.id = t.row_id
       ) AS v ON true
 CROSS JOIN LATERAL (
       SELECT (v.version ->> 'created_at')::timestamptz AS created_at, (v.version ->> 'occurred_at')::timestamptz AS occurred_at,
              (v.version ->> 'due_at')::timestamptz AS due_at,
              -- Whoever has that login in their organization.
              (SELECT u.id FROM assignment_reminders.users u
                WHERE t.table_name = 'contact_corrections' AND u.organization_id = (v.version ->> 'organization_id')::uuid
                  AND u.auth_user_id = CASE WHEN v.version ->> 'corrected_by_subject' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
                                            THEN (v.version ->> 'corrected_by_subject')::uuid END) AS corrected_by_user
       ) AS m
 ORDER BY t.table_name, t.row_id
