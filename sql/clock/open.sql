-- An assignment was opened again: the days from the one after it was closed to yesterday did not count. One that was never closed here was
-- inserted so, or before 0.2.0: then its last change ($3) is the latest that closing it may have been.
-- $1: assignment, $2: organization. Index: assignment_pauses_assignment_idx, organizations_pkey.
WITH local AS (
    SELECT (now() AT TIME ZONE o.timezone)::date - 1 AS yesterday, ($3 AT TIME ZONE o.timezone)::date + 1 AS since
      FROM assignment_reminders.organizations o
     WHERE o.id = $2
), closed AS MATERIALIZED (
    SELECT p.id, p.paused_from
      FROM assignment_reminders.assignment_pauses p
     WHERE p.assignment_id = $1 AND p.cause = 'closed' AND p.paused_until IS NULL
), ended AS (
    UPDATE assignment_reminders.assignment_pauses p
       SET paused_until = local.yesterday, updated_at = now()
      FROM closed, local
     WHERE p.id = closed.id AND closed.paused_from <= local.yesterday
), undone AS (
    DELETE FROM assignment_reminders.assignment_pauses p
     USING closed, local
     WHERE p.id = closed.id AND closed.paused_from > local.yesterday
)
INSERT INTO assignment_reminders.assignment_pauses (organization_id, assignment_id, paused_from, paused_until, cause)
SELECT $2, $1, local.since, local.yesterday, 'closed'
  FROM local
 WHERE local.since <= local.yesterday AND NOT EXISTS (SELECT FROM closed)
