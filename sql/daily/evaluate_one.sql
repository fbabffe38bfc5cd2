-- The facts of one assignment that its evaluation needs; the run (evaluate_assignments.sql) takes the same ones.
-- $1: assignment. Index: primary keys and reminders_assignment_type_key.
SELECT a.status = 'open' AS is_open, a.last_contact_date, a.assigned_on,
       s.reminder_after_days, s.escalate_after_days,
       (now() AT TIME ZONE o.timezone)::date AS today,
       assignment_reminders.dispatched_at(
           CASE WHEN mentor.id IS NULL OR mentor.contact_opt_out OR mentor.email IS NULL THEN 'unreachable' END,
           r.anchor = coalesce(a.last_contact_date, a.assigned_on)::timestamp AT TIME ZONE 'UTC',
           r.status, r.skip_reason, r.sent_at, r.scheduled_for, now()) AS last_reminder_sent_at
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.reminder_type = 'contact-reminder'
 WHERE a.id = $1
