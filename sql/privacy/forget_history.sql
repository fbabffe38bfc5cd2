-- Takes out of row_history what was said of a person ($1), whether or not they are still there: what forget_user.sql and its like take out of
-- the tables. That a text was there stays, as an empty one or the word $5; which rows, when and by whom, too. Other texts lose the
-- addresses ($2; $3 and $4 as in lock_quotes.sql). Returns what forget_user.sql does, of those in which something was left.
-- Reads row_history whole: texts, and students of assignments that are gone, have no index. Indexes: assignments_student_due_at_idx,
-- activities_recorded_by_idx, peer_mentors_user_key; row_history_pkey.
WITH spared AS MATERIALIZED (
    SELECT s.organization_id, array_agg(s.address) AS addresses
      FROM unnest($3::uuid[], $4::text[]) AS s (organization_id, address)
     GROUP BY s.organization_id
), student_assignment AS MATERIALIZED (
    SELECT a.id FROM assignment_reminders.assignments a WHERE a.student_id = $1
     UNION
    SELECT h.row_id FROM assignment_reminders.row_history h
     WHERE h.table_name = 'assignments' AND h.old_values ->> 'student_id' = $1::text
), mentor AS MATERIALIZED (
    SELECT m.id FROM assignment_reminders.peer_mentors m WHERE m.user_id = $1
     UNION
    SELECT h.row_id FROM assignment_reminders.row_history h
     WHERE h.table_name = 'peer_mentors' AND h.old_values ->> 'user_id' = $1::text
), recorded AS MATERIALIZED (
    SELECT t.id FROM assignment_reminders.activities t WHERE t.recorded_by = $1
     UNION
    SELECT h.row_id FROM assignment_reminders.row_history h
     WHERE h.table_name = 'activities' AND h.old_values ->> 'recorded_by' = $1::text
), told AS MATERIALIZED (
    SELECT h.row_id, h.changed_at, h.number, forgotten.old_values, signed.changed_by
      FROM assignment_reminders.row_history h
      LEFT JOIN spared s ON s.organization_id = h.organization_id
     CROSS JOIN LATERAL (
           SELECT CASE
                  WHEN h.table_name = 'users' AND h.row_id = $1
                       THEN jsonb_build_object('email', $5, 'name', '', 'timezone', NULL, 'contact_opt_out_reason', $5, 'auth_user_id', NULL,
                                               'role', 'member', 'soft_bounces', 0, 'soft_bounced_at', '[]'::jsonb)
                  WHEN h.table_name = 'users' THEN jsonb_build_object(
                       -- In another organization, or before it was theirs.
                       'email', CASE WHEN lower(h.old_values ->> 'email') = ANY ($2) AND lower(h.old_values ->> 'email') <> ALL (coalesce(s.addresses, '{}'))
                                     THEN $5 ELSE h.old_values ->> 'email' END,
                       'contact_opt_out_reason',
                       assignment_reminders.without_addresses(h.old_values ->> 'contact_opt_out_reason', $2, s.addresses))
                  WHEN h.table_name = 'user_preferences' AND h.row_id = $1
                       THEN (SELECT jsonb_object_agg(k.name, NULL) FROM jsonb_object_keys(h.old_values) AS k (name)
                              WHERE k.name NOT IN ('user_id', 'organization_id', 'created_at', 'updated_at'))
                  WHEN h.table_name = 'assignments' AND h.row_id IN (SELECT a.id FROM student_assignment a)
                       THEN jsonb_build_object('title', $5, 'description', NULL, 'metadata', '{}'::jsonb)
                  WHEN h.table_name = 'activities'
                       AND (h.belongs_to IN (SELECT a.id FROM student_assignment a) OR h.row_id IN (SELECT r.id FROM recorded r))
                       THEN jsonb_build_object('notes', NULL, 'metadata', '{}'::jsonb)
                  WHEN h.table_name = 'contact_corrections' THEN jsonb_build_object(
                       'reason', CASE WHEN h.belongs_to IN (SELECT a.id FROM student_assignment a) THEN $5 ELSE h.old_values ->> 'reason' END,
                       'corrected_by', assignment_reminders.without_addresses(h.old_values ->> 'corrected_by', $2, s.addresses),
                       'corrected_by_subject',
                       assignment_reminders.without_addresses(h.old_values ->> 'corrected_by_subject', $2, s.addresses))
                  WHEN h.table_name = 'assignment_pauses' AND h.belongs_to IN (SELECT a.id FROM student_assignment a)
                    OR h.table_name = 'mentor_pauses' AND h.belongs_to IN (SELECT m.id FROM mentor m)
                       THEN jsonb_build_object('reason', NULL)
                  END AS replacements
           ) AS what
     CROSS JOIN LATERAL (
           -- Of what is there and is not NULL.
           SELECT h.old_values || coalesce((
                      SELECT jsonb_object_agg(r.name, r.value) FROM jsonb_each(what.replacements) AS r (name, value)
                       WHERE h.old_values -> r.name <> 'null'), '{}') AS old_values
           ) AS forgotten
     CROSS JOIN LATERAL (SELECT assignment_reminders.without_addresses(h.changed_by, $2, s.addresses) AS changed_by) AS signed
     WHERE forgotten.old_values IS DISTINCT FROM h.old_values OR signed.changed_by <> h.changed_by
), written AS (
    UPDATE assignment_reminders.row_history h
       SET old_values = told.old_values, changed_by = told.changed_by
      FROM told
     WHERE h.row_id = told.row_id AND h.changed_at = told.changed_at AND h.number = told.number
    RETURNING h.row_id, h.changed_at, h.number,
              (h.old_values, h.changed_by) IS NOT DISTINCT FROM (told.old_values, told.changed_by) AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told
  FROM told
  LEFT JOIN written w ON w.row_id = told.row_id AND w.changed_at = told.changed_at AND w.number = told.number
