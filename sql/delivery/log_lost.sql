-- Logs attempts that nobody answered for, of reminders ($1) to addresses ($2, pairwise) that were claimed again, skipped or
-- given up just now. Index: reminders_pkey.
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, status, error, attempt, given_up)
SELECT assignment_reminders.time_ordered_id(), r.organization_id, r.id, r.assignment_id, r.reminder_type, r.anchor, lost.to_email,
       'failed', r.last_error, r.attempts, r.status = 'failed'
  FROM unnest($1::uuid[], $2::text[]) AS lost (reminder_id, to_email)
  JOIN assignment_reminders.reminders r ON r.id = lost.reminder_id
