-- As silent_assignments.sql, with what comes next of each that is followed up, which only those are told who may see all of it.
-- $1: limit, $2 and $3: silent_since and id of the last row of the page before. Index: the function's; the view reads the organization.
SELECT jsonb_build_object(
           'assignment_id', s.assignment_id, 'title', s.title, 'last_contact_date', s.last_contact_date, 'silent_since', s.silent_since,
           'days_since', (now() AT TIME ZONE o.timezone)::date - s.silent_since,
           'student_id', s.student_id, 'student_name', student.name,
           'peer_mentor_id', s.peer_mentor_id, 'peer_mentor_name', mentor.name,
           'outlook', CASE WHEN v.assignment_id IS NOT NULL THEN jsonb_build_object(
               'counted_days', v.counted_days, 'coordinator_id', v.coordinator_id, 'coordinator_name', v.coordinator_name,
               'last_reminder_sent_at', v.last_reminder_sent_at, 'state', v.state, 'next_action', v.next_action, 'next_on', v.next_on,
               'forgotten', v.forgotten) END) AS row
  FROM assignment_reminders.get_open_assignments_with_contact_dates($2, $3, $1) WITH ORDINALITY AS s
  JOIN assignment_reminders.organizations o ON o.id = (SELECT assignment_reminders.current_organization())
  LEFT JOIN assignment_reminders.users student ON student.id = s.student_id
  LEFT JOIN assignment_reminders.peer_mentors m ON m.id = s.peer_mentor_id
  LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id
  LEFT JOIN assignment_reminders.silent_assignments v ON v.assignment_id = s.assignment_id
 ORDER BY s.ordinality
