-- The assignments whose activities an UPDATE changed in a way that matters to the contact date: those of rows that are
-- not the same before and after.
SELECT DISTINCT changed.assignment_id
  FROM (SELECT id, organization_id, assignment_id, occurred_at, overruled_by, 1 AS side FROM old_rows
        UNION ALL
        SELECT id, organization_id, assignment_id, occurred_at, overruled_by, 2 FROM new_rows) AS changed
 GROUP BY id, organization_id, assignment_id, occurred_at, overruled_by
HAVING count(*) = 1
