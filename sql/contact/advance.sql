-- Moves the contact dates of locked assignments forward to the inserted activities' dates. Rows whose date does not
-- advance are not written. Returns the ones that did. Index: assignments_pkey, once per assignment.
WITH contact AS (
    SELECT n.assignment_id, max((n.occurred_at AT TIME ZONE o.timezone)::date) AS contact_date
      FROM new_rows n
      JOIN assignment_reminders.organizations o ON o.id = n.organization_id
     WHERE n.overruled_by IS NULL
     GROUP BY n.assignment_id
)
UPDATE assignment_reminders.assignments a
   SET last_contact_date = contact.contact_date, updated_at = now()
  FROM contact
 WHERE a.id = contact.assignment_id
   AND (a.last_contact_date IS NULL OR a.last_contact_date < contact.contact_date)
RETURNING a.id
