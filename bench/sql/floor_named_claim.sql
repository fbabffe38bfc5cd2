-- The floor of a claim that hands out what a message is made of: floor_claim.sql, with whom it goes to, as it was enqueued, and what it is about, by
-- look-ups by key. It checks nothing, and knows neither organizations nor attempts, limits or leases that were lost.
UPDATE assignment_reminders.reminders r
   SET claim_id = due.claim_id, claimed_until = now() + interval '5 minutes', claimed_email = due.email, updated_at = now()
  FROM (SELECT d.row_ctid, claim.id AS claim_id, u.email, u.name AS recipient_name, u.timezone, student.name AS student_name, a.title,
               a.due_at, a.last_contact_date
          FROM (SELECT gen_random_uuid() AS id OFFSET 0) AS claim
         CROSS JOIN LATERAL (
               SELECT p.ctid AS row_ctid, p.assignment_id, p.recipient_id FROM assignment_reminders.reminders p
                WHERE p.status = 'pending' AND greatest(p.retry_at, p.scheduled_for) <= now()
                  AND (p.claimed_until IS NULL OR p.claimed_until <= now())
                ORDER BY greatest(p.retry_at, p.scheduled_for)
                LIMIT $1::integer FOR UPDATE SKIP LOCKED
               ) AS d
          LEFT JOIN LATERAL (
               SELECT a.student_id, a.title, a.due_at, a.last_contact_date FROM assignment_reminders.assignments a WHERE a.id = d.assignment_id LIMIT 1
               ) AS a ON true
          LEFT JOIN LATERAL (
               SELECT u.email, u.name, u.timezone FROM assignment_reminders.users u WHERE u.id = coalesce(d.recipient_id, a.student_id) LIMIT 1
               ) AS u ON true
          LEFT JOIN LATERAL (SELECT s.name FROM assignment_reminders.users s WHERE s.id = a.student_id LIMIT 1) AS student ON true
       ) AS due
 WHERE r.ctid = due.row_ctid
RETURNING r.id, r.claim_id, r.claimed_until, r.organization_id, r.reminder_type, r.recipient_id, due.email, due.recipient_name, due.timezone,
          r.assignment_id, due.title, due.student_name, due.due_at, due.last_contact_date, r.anchor, r.scheduled_for, r.attempts
