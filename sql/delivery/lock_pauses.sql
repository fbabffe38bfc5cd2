-- Locks the pauses of organizations ($1), in the order of their ids, and returns them. Those that a claim or another answer holds are left out: an answer
-- must be recorded, and the next fault stops them. Index: claim_rates_pkey.
SELECT c.organization_id, c.paused_at, c.paused_until
  FROM assignment_reminders.claim_rates c
 WHERE c.organization_id = ANY ($1)
 ORDER BY c.organization_id
   FOR NO KEY UPDATE SKIP LOCKED
