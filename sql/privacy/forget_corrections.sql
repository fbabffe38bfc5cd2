-- Of locked corrections ($5): the reasons of those of a person's ($1) assignments become $6, and addresses ($2) go from what others are
-- signed with; $3 and $4 as in lock_quotes.sql. Returns what forget_user.sql does. Index: contact_corrections_pkey, assignments_pkey.
WITH told AS MATERIALIZED (
    SELECT c.id, CASE WHEN a.student_id = $1 THEN $6 ELSE c.reason END AS reason,
           assignment_reminders.without_addresses(c.corrected_by, $2, spared.addresses) AS corrected_by,
           assignment_reminders.without_addresses(c.corrected_by_subject, $2, spared.addresses) AS corrected_by_subject
      FROM assignment_reminders.contact_corrections c
      JOIN assignment_reminders.assignments a ON a.id = c.assignment_id
     CROSS JOIN LATERAL (
           SELECT ARRAY(SELECT s.address FROM unnest($3::uuid[], $4::text[]) AS s (organization_id, address)
                         WHERE s.organization_id = c.organization_id) AS addresses
           ) AS spared
     WHERE c.id = ANY ($5)
), written AS (
    UPDATE assignment_reminders.contact_corrections c
       SET reason = told.reason, corrected_by = told.corrected_by, corrected_by_subject = told.corrected_by_subject
      FROM told
     WHERE c.id = told.id
    RETURNING c.id, (c.reason, c.corrected_by, c.corrected_by_subject)
                    IS NOT DISTINCT FROM (told.reason, told.corrected_by, told.corrected_by_subject) AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
