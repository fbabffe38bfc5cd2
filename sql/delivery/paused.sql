-- Which of the assignments $1 are paused at $2, themselves or with their mentor. Index: assignment_pauses_paused_idx, assignments_pkey,
-- mentor_pauses_peer_mentor_idx, organizations_pkey.
SELECT p.assignment_id
  FROM (SELECT p.organization_id, p.assignment_id, p.paused_from, p.paused_until
          FROM assignment_reminders.assignment_pauses p
         WHERE p.assignment_id = ANY ($1) AND p.cause = 'pause'
         UNION ALL
        SELECT a.organization_id, a.id, greatest(p.paused_from, a.mentor_since), p.paused_until
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (
               SELECT p.paused_from, p.paused_until FROM assignment_reminders.mentor_pauses p
                WHERE p.peer_mentor_id = a.peer_mentor_id OFFSET 0
               ) AS p
         WHERE a.id = ANY ($1)) AS p
  -- LIMIT 1, of a unique row: a look-up by key, never a join that reads a whole table.
 CROSS JOIN LATERAL (SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = p.organization_id LIMIT 1) AS o
 WHERE ($2 AT TIME ZONE o.timezone)::date BETWEEN p.paused_from AND coalesce(p.paused_until, 'infinity')
