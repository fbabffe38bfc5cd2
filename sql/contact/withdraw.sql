-- Withdraws locked follow-ups of a silence that contact ended. $1: reminder ids, $2: the reason. Index: reminders_pkey.
-- A statement of its own for the reason that sql/counts/add.sql gives.
UPDATE assignment_reminders.reminders r
   SET status = 'skipped', skip_reason = $2, claim_id = NULL, claimed_until = NULL, updated_at = now()
 WHERE r.id = ANY ($1)
