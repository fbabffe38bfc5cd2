-- What decides on the next attempt of locked reminders ($1), whether their addressees have an address now, and whether it is another than was written to.
-- Index: primary keys; reminder_settings by its key.
SELECT r.id, r.organization_id, r.attempts, coalesce(s.max_attempts, 5) AS max_attempts,
       -- Where an organization has none, they are as they would be made.
       extract(epoch FROM coalesce(s.retry_base, interval '1 minute'))::double precision AS retry_base, random() AS jitter,
       -- Of an organization that needs none, whoever was not forgotten.
       u.email IS NOT NULL OR s.address_required IS FALSE AND NOT (u.contact_opt_out AND coalesce(u.name, '') = '') AS has_address,
       (lower(u.email) <> lower(r.claimed_email)) IS TRUE AS has_another_address
  FROM assignment_reminders.reminders r
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = r.organization_id
  LEFT JOIN LATERAL (
       SELECT a.student_id FROM assignment_reminders.assignments a
        WHERE a.id = CASE WHEN r.recipient_id IS NULL THEN r.assignment_id END LIMIT 1
       ) AS a ON true
  LEFT JOIN LATERAL (
       SELECT u.email, u.name, u.contact_opt_out FROM assignment_reminders.users u WHERE u.id = coalesce(r.recipient_id, a.student_id) LIMIT 1
       ) AS u ON true
 WHERE r.id = ANY ($1)
