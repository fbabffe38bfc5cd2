-- The assignments whose activities an UPDATE changed in a way that matters to the contact date: those of rows that counted before or
-- count after (contacts that no correction overrules), and are not the same before and after.
SELECT DISTINCT changed.assignment_id
  FROM (SELECT id, organization_id, assignment_id, occurred_at, 1 AS side FROM old_rows WHERE is_contact AND overruled_by IS NULL
        UNION ALL
        SELECT id, organization_id, assignment_id, occurred_at, 2 FROM new_rows WHERE is_contact AND overruled_by IS NULL) AS changed
 GROUP BY id, organization_id, assignment_id, occurred_at
HAVING count(*) = 1
