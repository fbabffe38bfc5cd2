-- Sets the contact dates of locked assignments to what activities and corrections say, back as well as forward.
-- $1: assignment ids. Returns those whose date was another, with the one that activities and corrections say, and whether they hold
-- it now: a trigger of the owner's may have put in another, or kept a row from being written (a row of NULLs for each).
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
           WHERE t.assignment_id = a.id AND t.is_contact AND t.overruled_by IS NULL
      ) AS activity ON true
     WHERE a.id = ANY ($1)
       AND a.last_contact_date IS DISTINCT FROM greatest(correction.new_date, activity.contact_date)
), written AS (
    UPDATE assignment_reminders.assignments a
       SET last_contact_date = told.contact_date, updated_at = now()
      FROM told
     WHERE a.id = told.id
    RETURNING a.id, told.contact_date, a.last_contact_date IS NOT DISTINCT FROM told.contact_date AS is_as_told
)
SELECT w.id, w.contact_date, w.is_as_told FROM written w
UNION ALL
SELECT NULL, NULL, false FROM told WHERE NOT EXISTS (SELECT FROM written w WHERE w.id = told.id)
