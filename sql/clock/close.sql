-- An assignment was closed: from tomorrow on, nobody is expected to do anything about it. $1: assignment, $2: organization.
-- Index: organizations_pkey.
INSERT INTO assignment_reminders.assignment_pauses (organization_id, assignment_id, paused_from, cause)
SELECT o.id, $1, (now() AT TIME ZONE o.timezone)::date + 1, 'closed'
  FROM assignment_reminders.organizations o
 WHERE o.id = $2
