-- Locks the counted claims of organizations ($1) and returns them as they are now. Those that another claim holds are
-- left out: it is serving them. Index: claim_rates_pkey.
SELECT c.organization_id, c.claimed_at, c.messages
  FROM assignment_reminders.claim_rates c
 WHERE c.organization_id = ANY ($1)
   FOR NO KEY UPDATE SKIP LOCKED
