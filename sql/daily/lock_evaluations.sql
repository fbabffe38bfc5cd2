-- Of organizations ($1), locks how far evaluations have got, and returns those in which nobody else is at work. In one order, as all that lock
-- more than one. Index: organization_evaluations_pkey.
WITH locked AS MATERIALIZED (
    SELECT e.organization_id FROM assignment_reminders.organization_evaluations e
     WHERE e.organization_id = ANY ($1) ORDER BY e.organization_id FOR NO KEY UPDATE SKIP LOCKED
)
SELECT o.id FROM unnest($1) AS o (id)
 WHERE o.id IN (SELECT l.organization_id FROM locked l)
    OR NOT EXISTS (SELECT FROM assignment_reminders.organization_evaluations e WHERE e.organization_id = o.id)
