-- Sets the contact dates of locked assignments to what activities and corrections say, back as well as forward.
-- $1: assignment ids. Returns the ones that changed, with the date that now holds.
-- Index: assignments_pkey, contact_corrections_assignment_number_key, activities_assignment_idx, once per assignment.
WITH told AS (
    SELECT a.id, greatest(correction.new_date, activity.contact_date) AS contact_date
      FROM assignment_reminders.assignments a
      JOIN assignment_reminders.organizations o ON o.id = a.organization_id
      LEFT JOIN LATERAL (
          SELECT c.new_date
            FROM assignment_reminders.contact_corrections c
           WHERE c.assignment_id = a.id
           ORDER BY c.number DESC
           LIMIT 1
      ) AS correction ON true
      LEFT JOIN LATERAL (
          SELECT max((t.occurred_at AT TIME ZONE o.timezone)::date) AS contact_date
            FROM assignment_reminders.activities t
           WHERE t.assignment_id = a.id AND t.overruled_by IS NULL
      ) AS activity ON true
     WHERE a.id = ANY ($1)
)
UPDATE assignment_reminders.assignments a
   SET last_contact_date = told.contact_date, updated_at = now()
  FROM told
 WHERE a.id = told.id
   AND a.last_contact_date IS DISTINCT FROM told.contact_date
RETURNING a.id, a.last_contact_date
