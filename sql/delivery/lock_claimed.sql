-- Locks the reminders ($1) that are still held by a claim ($2), in the order in which the daily run writes them,
-- and returns which of them are pending: one that was withdrawn after its claim may still be answered.
-- Waits for whoever has one of them locked: what was sent must be recorded, and be it late. (Runs, enqueues and claims leave locked rows for the next time.)
-- The status is compared outside of the WHERE clause, where it would lead the planner to use reminders_pending_idx.
-- Index: reminders_pkey.
SELECT r.id, r.organization_id, r.status = 'pending' AS is_pending
  FROM assignment_reminders.reminders r
 WHERE r.id = ANY ($1) AND r.claim_id = $2 AND r.status IN ('pending', 'skipped')
 ORDER BY r.assignment_id, r.reminder_type, r.id -- Summaries and notices have no assignment: the id tells them apart.
   FOR NO KEY UPDATE
