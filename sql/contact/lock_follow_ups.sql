-- Locks the follow-ups of assignments, in the order in which the daily run writes them, and returns those that wait.
-- The status is compared outside the locking query: inside, it would lead the planner to use reminders_pending_idx, and so
-- to all that waits. $1: assignment ids, $2: the types of follow-ups. Index: reminders_assignment_type_key, once per assignment and type.
WITH follow_up AS (
    SELECT r.id, r.status
      FROM assignment_reminders.reminders r
     WHERE r.assignment_id = ANY ($1)
       AND r.reminder_type = ANY ($2)
     ORDER BY r.assignment_id, r.reminder_type
       FOR NO KEY UPDATE OF r
)
SELECT follow_up.id FROM follow_up WHERE follow_up.status = 'pending'
