-- Locks how far evaluations have got ($1: organizations), and returns those whose row somebody else holds. Index: organization_evaluations_pkey.
WITH locked AS MATERIALIZED (
    SELECT e.organization_id FROM assignment_reminders.organization_evaluations e
     WHERE e.organization_id = ANY ($1) ORDER BY e.organization_id FOR NO KEY UPDATE SKIP LOCKED
)
SELECT e.organization_id AS id FROM assignment_reminders.organization_evaluations e
 WHERE e.organization_id = ANY ($1) AND e.organization_id NOT IN (SELECT l.organization_id FROM locked l)
