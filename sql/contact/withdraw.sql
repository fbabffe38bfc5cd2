-- Withdraws locked follow-ups of a silence that contact ended. $1: reminder ids, $2: the reason. Index: reminders_pkey.
-- The claim stays: a worker who had sent it already can still say so.
-- A statement of its own for the reason that sql/counts/add.sql gives.
UPDATE assignment_reminders.reminders r
   SET status = 'skipped', skip_reason = $2, updated_at = now()
 WHERE r.id = ANY ($1)
