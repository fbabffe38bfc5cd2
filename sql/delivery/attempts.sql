-- What decides on the next attempt of locked reminders ($1). Index: reminders_pkey; reminder_settings by its key.
SELECT r.id, r.attempts, s.max_attempts, extract(epoch FROM s.retry_base)::double precision AS retry_base, random() AS jitter
  FROM assignment_reminders.reminders r
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = r.organization_id
 WHERE r.id = ANY ($1)
