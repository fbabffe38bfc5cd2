-- Runs (evaluate_assignments.sql) and the evaluation of a single assignment (evaluate_one.sql) decide by the same facts.
-- Index: peer_mentors_pkey, users_pkey, reminders_assignment_type_key. LIMIT 1, of a unique row, keeps the planner from reading
-- the whole outbox.
CREATE FUNCTION assignment_reminders.follow_up_facts(
    organization_id uuid, assignment_id uuid, peer_mentor_id uuid, anchor timestamptz, as_of timestamptz
) RETURNS TABLE (mentor_id uuid, reminded_at timestamptz)
LANGUAGE sql STABLE ROWS 1
AS $$
    SELECT mentor.id,
           assignment_reminders.dispatched_at(
               assignment_reminders.unreachable_reason('mentor', mentor.contact_opt_out, mentor.email IS NOT NULL),
               r.anchor = follow_up_facts.anchor,
               r.status, r.skip_reason, r.sent_at, r.scheduled_for, follow_up_facts.as_of)
      FROM (SELECT follow_up_facts.organization_id AS id) AS organization
      LEFT JOIN assignment_reminders.peer_mentors m
        ON m.id = follow_up_facts.peer_mentor_id AND m.organization_id = organization.id
      LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = organization.id
      LEFT JOIN LATERAL (
           SELECT * FROM assignment_reminders.reminders r
            WHERE r.assignment_id = follow_up_facts.assignment_id
              AND r.reminder_type = assignment_reminders.reminder_type_of('remind')
            LIMIT 1
           ) AS r ON true
$$;
COMMENT ON FUNCTION assignment_reminders.follow_up_facts(uuid, uuid, uuid, timestamptz, timestamptz) IS
    'What decides on a follow-up beside the assignment''s own row: its mentor, and when they were reminded of the silence of this anchor (sent, or given up; NULL: not yet).';
