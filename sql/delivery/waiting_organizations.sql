-- The organizations in which something waits that is due at $1. Where little is due, it is gone through; where much is, the cost follows
-- organizations with something pending: their index is entered anew after each one's entries.
-- Indexes: reminders_due_idx for the first $2 that are due, reminders_pending_idx, once per organization.
WITH RECURSIVE early AS MATERIALIZED (
    SELECT r.organization_id
      FROM assignment_reminders.reminders r
     WHERE r.status = 'pending' AND greatest(r.retry_at, r.scheduled_for) <= $1
       AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
     ORDER BY greatest(r.retry_at, r.scheduled_for)
     LIMIT $2
), pending (organization_id) AS (
    (SELECT r.organization_id
       FROM assignment_reminders.reminders r
      WHERE r.status = 'pending' AND (SELECT count(*) FROM early) = $2
      ORDER BY r.organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.organization_id
              FROM assignment_reminders.reminders r
             WHERE r.status = 'pending' AND r.organization_id > p.organization_id
             ORDER BY r.organization_id LIMIT 1)
      FROM pending p
     WHERE p.organization_id IS NOT NULL
)
SELECT e.organization_id FROM early e
 UNION
SELECT p.organization_id FROM pending p WHERE p.organization_id IS NOT NULL
