-- Writes the pause of a locked organization ($1): from $2 until $3, for the fault $4, of which a code ($5) was told. Index: claim_rates_pkey.
UPDATE assignment_reminders.claim_rates c
   SET paused_at = $2, paused_until = $3, paused_for = $4, paused_code = $5, updated_at = now()
 WHERE c.organization_id = $1
