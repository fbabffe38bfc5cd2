-- What the database holds about a person.

-- The present address, and those that logs of reminders to them hold: of the reminders that name them or their assignment as the
-- student's; where the reminder is gone, of the assignments whose reminders of this type would go to them.
-- Indexes: users_pkey, reminders_recipient_idx, assignments_student_due_at_idx, reminders_assignment_type_key, send_logs_sent_once_key, row_history_pkey.
CREATE FUNCTION assignment_reminders.addresses_of(user_id uuid) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH person AS MATERIALIZED (
        SELECT u.id, u.organization_id, u.email FROM assignment_reminders.users u WHERE u.id = addresses_of.user_id
    ), reminder AS MATERIALIZED (
        SELECT r.id, r.claimed_email FROM person p JOIN assignment_reminders.reminders r ON r.recipient_id = p.id
         UNION
        SELECT r.id, r.claimed_email
          FROM person p
          JOIN assignment_reminders.assignments a ON a.student_id = p.id
          JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.recipient_id IS NULL
    ), assignment AS MATERIALIZED (
        SELECT a.id, a.student_id, a.coordinator_id, a.peer_mentor_id FROM person p
          JOIN assignment_reminders.assignments a ON a.student_id = p.id
         UNION
        SELECT a.id, a.student_id, a.coordinator_id, a.peer_mentor_id FROM person p
          JOIN assignment_reminders.assignments a ON a.coordinator_id = p.id
         UNION
        SELECT a.id, a.student_id, a.coordinator_id, a.peer_mentor_id FROM person p
          JOIN assignment_reminders.peer_mentors m ON m.user_id = p.id AND m.organization_id = p.organization_id
          JOIN assignment_reminders.assignments a ON a.peer_mentor_id = m.id
    ), told AS MATERIALIZED (
        SELECT lower(p.email) AS address FROM person p WHERE p.email IS NOT NULL
         UNION
        SELECT lower(r.claimed_email) FROM reminder r WHERE r.claimed_email LIKE '%@%'
         UNION
        SELECT lower(h.old_values ->> 'email')
          FROM assignment_reminders.row_history h
         WHERE h.row_id = addresses_of.user_id AND h.table_name = 'users' AND h.old_values ->> 'email' LIKE '%@%'
         UNION
        SELECT lower(l.to_email)
          FROM reminder r
          JOIN assignment_reminders.send_logs l ON l.reminder_id = r.id
         WHERE l.to_email LIKE '%@%'
         UNION
        SELECT lower(l.to_email)
          FROM assignment_reminders.send_logs l
          JOIN assignment a ON a.id = l.assignment_id
          LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
         CROSS JOIN LATERAL assignment_reminders.reminder_kind(l.reminder_type) AS kind
         WHERE l.reminder_id IS NULL AND l.to_email LIKE '%@%'
           AND assignment_reminders.addressee_id(kind.addressee, m.user_id, a.coordinator_id, NULL, a.student_id)
               = addresses_of.user_id
    )
    SELECT told.address
      FROM told
     WHERE NOT EXISTS (SELECT FROM person p
                         JOIN assignment_reminders.users other ON other.organization_id = p.organization_id
                        WHERE other.id <> p.id AND lower(other.email) = told.address)
     ORDER BY told.address
$$;
COMMENT ON FUNCTION assignment_reminders.addresses_of(uuid) IS
    'The addresses of a person, in lower case: the present one, and earlier ones as far as the history or logs of their reminders hold them; none that is another person''s in the organization now. None for an unknown person, or NULL.';

-- Indexes: primary keys; those of addresses_of; activities_assignment_idx, activities_recorded_by_idx,
-- contact_corrections_assignment_number_key, send_logs_sent_once_key, row_history_pkey, row_history_belongs_to_idx. Reads row_history whole for what is
-- gone, send_logs for the addresses, and users for whose
-- else they are: both have no index by address, which every message would pay for.
CREATE FUNCTION assignment_reminders.export_person(user_id uuid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH person AS MATERIALIZED (
        SELECT u.* FROM assignment_reminders.users u WHERE u.id = export_person.user_id
    ), mentor AS MATERIALIZED (
        SELECT m.* FROM person p
          JOIN assignment_reminders.peer_mentors m ON m.user_id = p.id AND m.organization_id = p.organization_id
    ), address AS MATERIALIZED (
        SELECT a.address FROM assignment_reminders.addresses_of(export_person.user_id) AS a (address)
    ), spared AS MATERIALIZED (
        SELECT u.organization_id, address.address
          FROM address
          JOIN assignment_reminders.users u ON lower(u.email) = address.address AND u.id <> export_person.user_id
    ), about_student AS MATERIALIZED (
        SELECT a.* FROM person p JOIN assignment_reminders.assignments a ON a.student_id = p.id
    ), owned AS MATERIALIZED (
        -- Also what is gone, by whom it was about.
        SELECT m.id FROM mentor m
         UNION
        SELECT a.id FROM about_student a
         UNION
        SELECT h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name = 'assignments' AND h.old_values ->> 'student_id' = export_person.user_id::text
            OR h.table_name = 'peer_mentors' AND h.old_values ->> 'user_id' = export_person.user_id::text
    ), addressed AS MATERIALIZED (
        SELECT r.* FROM person p JOIN assignment_reminders.reminders r ON r.recipient_id = p.id
         UNION ALL
        SELECT r.*
          FROM about_student a
          JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.recipient_id IS NULL
    )
    SELECT jsonb_build_object(
           'user', to_jsonb(p.*),
           'preferences', (SELECT to_jsonb(preference.*) FROM assignment_reminders.user_preferences preference
                            WHERE preference.user_id = p.id),
           'peer_mentor', (SELECT to_jsonb(m.*) FROM mentor m),
           'addresses', (SELECT coalesce(jsonb_agg(a.address ORDER BY a.address), '[]') FROM address a),
           'assignments_as_student',
           (SELECT coalesce(jsonb_agg(to_jsonb(a.*) ORDER BY a.created_at, a.id), '[]') FROM about_student a),
           'assignments_as_mentor',
           (SELECT coalesce(jsonb_agg(to_jsonb(a.*) ORDER BY a.created_at, a.id), '[]')
              FROM mentor m JOIN assignment_reminders.assignments a ON a.peer_mentor_id = m.id),
           'assignments_as_coordinator',
           (SELECT coalesce(jsonb_agg(to_jsonb(a.*) ORDER BY a.created_at, a.id), '[]')
              FROM assignment_reminders.assignments a WHERE a.coordinator_id = p.id),
           'contact_corrections',
           (SELECT coalesce(jsonb_agg(to_jsonb(c.*) ORDER BY c.created_at, c.assignment_id, c.number), '[]')
              FROM about_student a JOIN assignment_reminders.contact_corrections c ON c.assignment_id = a.id),
           'assignment_pauses',
           (SELECT coalesce(jsonb_agg(to_jsonb(p.*) ORDER BY p.paused_from, p.id), '[]')
              FROM about_student a JOIN assignment_reminders.assignment_pauses p ON p.assignment_id = a.id),
           'mentor_pauses',
           (SELECT coalesce(jsonb_agg(to_jsonb(p.*) ORDER BY p.paused_from, p.id), '[]')
              FROM mentor m JOIN assignment_reminders.mentor_pauses p ON p.peer_mentor_id = m.id),
           'closed_statements',
           (SELECT coalesce(jsonb_agg(to_jsonb(l.*) ORDER BY c.last_day, l.line), '[]')
              FROM owned o
              JOIN assignment_reminders.closed_statements l ON l.peer_mentor_id = o.id
              JOIN assignment_reminders.closed_periods c ON c.id = l.closed_period_id),
           'activities',
           (SELECT coalesce(jsonb_agg(to_jsonb(t.*) ORDER BY t.occurred_at, t.id), '[]')
              FROM (SELECT t.id FROM about_student a JOIN assignment_reminders.activities t ON t.assignment_id = a.id
                     UNION
                    SELECT t.id FROM assignment_reminders.activities t WHERE t.recorded_by = p.id) AS theirs
              JOIN assignment_reminders.activities t ON t.id = theirs.id),
           'row_history',
           (SELECT coalesce(jsonb_agg(to_jsonb(h.*) ORDER BY h.changed_at, h.number), '[]')
              FROM (SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.row_id = p.id AND h.table_name IN ('users', 'user_preferences')
                     UNION
                    SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.row_id IN (SELECT o.id FROM owned o)
                     UNION
                    SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.belongs_to IN (SELECT o.id FROM owned o)
                     UNION
                    SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.table_name = 'activities' AND h.old_values ->> 'recorded_by' = p.id::text
                   ) AS theirs
              JOIN assignment_reminders.row_history h USING (row_id, changed_at, number)),
           'reminder_events',
           (SELECT coalesce(jsonb_agg(to_jsonb(e.*) ORDER BY e.happened_at, e.number), '[]')
              FROM (SELECT e.happened_at, e.number FROM about_student a
                      JOIN assignment_reminders.reminder_events e ON e.assignment_id = a.id AND e.recipient_id IS NULL
                     UNION
                    SELECT e.happened_at, e.number FROM assignment_reminders.reminder_events e WHERE e.recipient_id = p.id) AS theirs
              JOIN assignment_reminders.reminder_events e USING (happened_at, number)),
           'reminders',
           (SELECT coalesce(jsonb_agg(to_jsonb(r.*) ORDER BY r.scheduled_for, r.id), '[]') FROM addressed r),
           'send_logs',
           (SELECT coalesce(jsonb_agg(to_jsonb(l.*) ORDER BY l.created_at, l.id), '[]')
              FROM assignment_reminders.send_logs l
              LEFT JOIN address ON address.address = lower(l.to_email)
             WHERE address.address IS NOT NULL
                   AND NOT EXISTS (SELECT FROM spared s
                                    WHERE s.organization_id = l.organization_id AND s.address = address.address)
                OR l.to_email IS NULL AND l.reminder_id IN (SELECT r.id FROM addressed r)))
      FROM (SELECT assignment_reminders.require_value(export_person.user_id, 'user_id') AS id) AS wanted
      LEFT JOIN person p ON true
     WHERE coalesce(p.id, assignment_reminders.raise_unknown('user', wanted.id)) IS NOT NULL
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{users,user_preferences,peer_mentors,mentor_pauses,assignments,assignment_pauses,activities,contact_corrections,closed_periods,closed_statements,reminders,send_logs,row_history,reminder_events}') THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.export_person(uuid) IS
    'Everything that the tables hold about a person, in one JSON object: the rows, whole, of the person, their preferences (not the token by which they unsubscribe) and their place as a peer mentor; their assignments as student, mentor and coordinator; when they were away as a mentor, and the lines of closed statements about them; corrections, pauses and activities of those as a student, and activities that they recorded; what row_history holds of all of these; reminders that are addressed to them, what became of these, and the logs of messages to their addresses, those of organizations that are gone included. 02000 for an unknown person, 22004 for NULL, 42501 where row security may hide rows.';
