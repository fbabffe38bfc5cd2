-- What a correction of a locked assignment ($1) is numbered and dated with. Index: assignments_pkey, contact_corrections_assignment_number_key.
SELECT 1 + coalesce((SELECT max(c.number) FROM assignment_reminders.contact_corrections c WHERE c.assignment_id = a.id), 0) AS number,
       a.last_contact_date, (now() AT TIME ZONE o.timezone)::date AS today
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
 WHERE a.id = $1
