-- Which of the assignments $1 are paused at $2. Index: assignment_pauses_assignment_idx, organizations_pkey.
SELECT p.assignment_id
  FROM assignment_reminders.assignment_pauses p
  -- LIMIT 1, of a unique row: a look-up by key, never a join that reads a whole table.
 CROSS JOIN LATERAL (SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = p.organization_id LIMIT 1) AS o
 WHERE p.assignment_id = ANY ($1)
   AND ($2 AT TIME ZONE o.timezone)::date BETWEEN p.paused_from AND coalesce(p.paused_until, 'infinity')
