-- The closed periods of an organization ($1) of which everything is known still. Index: closed_periods_organization_number_key.
SELECT p.last_day, p.began_at, p.ended_at
  FROM assignment_reminders.closed_periods p
 WHERE p.organization_id = $1 AND p.began_at > assignment_reminders.history_known_since()
 ORDER BY p.number
