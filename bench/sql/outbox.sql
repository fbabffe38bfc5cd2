-- %(reminders)s follow-ups that are due, one for each of as many assignments, as a run would enqueue them; of these, the
-- first %(sent)s are sent already.
TRUNCATE assignment_reminders.reminders, assignment_reminders.send_logs;
INSERT INTO assignment_reminders.reminders (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for, status, sent_at)
SELECT assignment_reminders.time_ordered_id(), a.organization_id, a.id, m.user_id, 'contact-reminder',
       a.assigned_on::timestamp AT TIME ZONE 'UTC', timestamptz '2026-11-21 06:00+00',
       CASE WHEN a.number <= %(sent)s THEN 'sent' ELSE 'pending' END,
       CASE WHEN a.number <= %(sent)s THEN timestamptz '2026-11-21 06:01+00' END
  FROM (SELECT *, row_number() OVER () AS number FROM assignment_reminders.assignments LIMIT %(reminders)s) AS a
  JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id;
