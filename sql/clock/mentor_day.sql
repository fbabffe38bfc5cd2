-- The day of $2 in the time zone of the organization of the mentor $1. Index: primary keys.
SELECT ($2 AT TIME ZONE o.timezone)::date AS day
  FROM assignment_reminders.peer_mentors m
  JOIN assignment_reminders.organizations o ON o.id = m.organization_id
 WHERE m.id = $1
