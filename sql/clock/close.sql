-- An assignment was closed, and still is: a trigger of the owner's may have opened it again. From tomorrow on, nobody is expected to do
-- anything about it. $1: assignment, $2: organization. Index: organizations_pkey, assignments_pkey.
INSERT INTO assignment_reminders.assignment_pauses (organization_id, assignment_id, paused_from, cause)
SELECT o.id, $1, (now() AT TIME ZONE o.timezone)::date + 1, 'closed'
  FROM assignment_reminders.organizations o
 WHERE o.id = $2 AND EXISTS (SELECT FROM assignment_reminders.assignments a WHERE a.id = $1 AND a.status <> 'open')
