-- The team's task, before it sends: which of these jobs ($1: assignments, $2: recipients, $3: silent since, $4: due dates, pairwise) still hold
-- (open, no contact and no other due date since, nobody opted out), with the address and the names that the mail needs.
SELECT a.id AS assignment, u.id AS recipient, job.silent_since::text AS silent_since, u.email, u.name, u.timezone,
       a.title, student.name AS student_name, a.due_at
  FROM unnest($1::uuid[], $2::uuid[], $3::text[]::date[], $4::text[]::timestamptz[]) AS job (assignment_id, recipient_id, silent_since, due_at)
  JOIN assignment_reminders.assignments a
    ON a.id = job.assignment_id AND a.status = 'open'
   AND coalesce(a.last_contact_date, a.assigned_on) = job.silent_since AND a.due_at IS NOT DISTINCT FROM job.due_at
  JOIN assignment_reminders.users u ON u.id = job.recipient_id AND u.email IS NOT NULL AND NOT u.contact_opt_out
  JOIN assignment_reminders.users student ON student.id = a.student_id
