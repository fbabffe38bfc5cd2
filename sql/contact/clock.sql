-- What is known of one assignment's contact, today being the date in its organization's time zone.
-- $1: assignment. Index: assignments_pkey.
SELECT a.last_contact_date, (now() AT TIME ZONE o.timezone)::date AS today
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
 WHERE a.id = $1
