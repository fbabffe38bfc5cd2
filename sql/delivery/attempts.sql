-- What decides on the next attempt of locked reminders ($1), whether those whom they were handed out for have an address still, and whether it is another than was
-- written to that they would go to now.
-- Index: primary keys; reminder_settings by its key.
SELECT r.id, r.organization_id, r.attempts, coalesce(s.max_attempts, 5) AS max_attempts,
       -- Where an organization has none, they are as they would be made.
       extract(epoch FROM coalesce(s.retry_base, interval '1 minute'))::double precision AS retry_base, random() AS jitter,
       -- Of an organization that needs none, whoever was not forgotten.
       (had.email IS NOT NULL OR s.address_required IS FALSE AND NOT (had.contact_opt_out AND coalesce(had.name, '') = '')) IS TRUE AS has_address,
       (lower(u.email) <> lower(r.claimed_email)) IS TRUE AS has_another_address
  FROM assignment_reminders.reminders r
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = r.organization_id
  LEFT JOIN LATERAL (
       SELECT a.student_id FROM assignment_reminders.assignments a
        WHERE a.id = CASE WHEN r.recipient_id IS NULL THEN r.assignment_id END LIMIT 1
       ) AS a ON true
  LEFT JOIN LATERAL (
       SELECT u.id, u.email FROM assignment_reminders.users u WHERE u.id = coalesce(r.recipient_id, a.student_id) LIMIT 1
       ) AS u ON true
  LEFT JOIN LATERAL (
       SELECT had.email, had.name, had.contact_opt_out FROM assignment_reminders.users had WHERE had.id = coalesce(r.claimed_for, u.id) LIMIT 1
       ) AS had ON true
 WHERE r.id = ANY ($1)
