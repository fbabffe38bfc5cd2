-- Logs attempts that nobody answered for, of reminders ($1) that were claimed again or given up just now.
-- Index: reminders_pkey; users by their key.
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, status, error, attempt, given_up)
SELECT assignment_reminders.time_ordered_id(), r.organization_id, r.id, r.assignment_id, r.reminder_type, r.anchor, u.email,
       'failed', r.last_error, r.attempts, r.status = 'failed'
  FROM assignment_reminders.reminders r
  LEFT JOIN LATERAL (
       SELECT a.student_id FROM assignment_reminders.assignments a
        WHERE a.id = CASE WHEN r.recipient_id IS NULL THEN r.assignment_id END LIMIT 1
       ) AS a ON true
  LEFT JOIN LATERAL (
       SELECT u.email FROM assignment_reminders.users u WHERE u.id = coalesce(r.recipient_id, a.student_id) LIMIT 1
       ) AS u ON true
 WHERE r.id = ANY ($1)
