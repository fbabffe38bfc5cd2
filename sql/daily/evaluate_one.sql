-- What one assignment calls for, by the facts that runs decide by (evaluate_assignments.sql). $1: assignment, $2: the day, or
-- NULL for today in its organization's time zone. Index: primary keys and reminders_assignment_type_key.
SELECT a.status = 'open' AS is_open, e.action, e.days_since
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.reminders r
    ON r.assignment_id = a.id AND r.reminder_type = assignment_reminders.reminder_type_of('remind')
 CROSS JOIN LATERAL assignment_reminders.evaluate_assignment(
       a.last_contact_date, a.assigned_on,
       assignment_reminders.dispatched_at(
           assignment_reminders.unreachable_reason('mentor', mentor.contact_opt_out, mentor.email IS NOT NULL),
           r.anchor = assignment_reminders.silence_anchor(assignment_reminders.silent_since(a.last_contact_date, a.assigned_on)),
           r.status, r.skip_reason, r.sent_at, r.scheduled_for, now()),
       s.reminder_after_days, s.escalate_after_days, coalesce($2, (now() AT TIME ZONE o.timezone)::date)) AS e
 WHERE a.id = $1
