-- The day of $2 in the time zone of the organization of the assignment $1. Index: primary keys.
SELECT ($2 AT TIME ZONE o.timezone)::date AS day
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
 WHERE a.id = $1
