-- Writes the counted claims ($2, $3) of a locked organization ($1). Index: claim_rates_pkey.
UPDATE assignment_reminders.claim_rates c
   SET claimed_at = $2, messages = $3, updated_at = now()
 WHERE c.organization_id = $1
