-- The first of these organizations ($1) that is not there, as far as the role of webhooks sees, and its place. reminder_settings is what that role needs to read.
SELECT s.place AS number, s.id AS organization
  FROM unnest($1) WITH ORDINALITY AS s (id, place)
 WHERE NOT EXISTS (SELECT FROM assignment_reminders.reminder_settings r WHERE r.organization_id = s.id)
 ORDER BY s.place LIMIT 1
