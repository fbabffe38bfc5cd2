-- Withdraws the pending follow-ups of a silence that contact ended. $1: assignment ids, $2: the reason.
-- The status is compared outside the locking query: inside, it would tempt the planner to reminders_pending_idx, and so
-- to all that waits. Index: reminders_assignment_type_key, once per assignment; rows are locked in (assignment, type)
-- order, as the daily run writes them.
WITH follow_up AS (
    SELECT r.id, r.status
      FROM assignment_reminders.reminders r
     WHERE r.assignment_id = ANY ($1)
       AND r.reminder_type IN ('contact-reminder', 'contact-escalation')
     ORDER BY r.assignment_id, r.reminder_type
       FOR NO KEY UPDATE OF r
)
UPDATE assignment_reminders.reminders r
   SET status = 'skipped', skip_reason = $2, claim_id = NULL, claimed_until = NULL, updated_at = now()
  FROM follow_up
 WHERE r.id = follow_up.id
   AND follow_up.status = 'pending'
