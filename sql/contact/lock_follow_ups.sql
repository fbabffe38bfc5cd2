-- Locks the follow-ups of assignments that nobody else holds, and returns those that wait for a silence that is another now: a contact from before
-- the assignment began ends none. One that a worker is answering for, or that is being claimed, is left: to register a contact waits for no worker, and the next
-- claim, lease or run sees that its silence ended. Locks never wait here, so their order is free.
-- The status is compared outside the locking query: inside, it would lead the planner to use reminders_pending_idx, and so
-- to all that waits. $1: assignment ids, $2: the types of follow-ups. Index: reminders_assignment_type_key, once per assignment and type.
WITH follow_up AS (
    SELECT r.id, r.status, r.anchor, r.assignment_id
      FROM assignment_reminders.reminders r
     WHERE r.assignment_id = ANY ($1)
       AND r.reminder_type = ANY ($2)
       FOR NO KEY UPDATE OF r SKIP LOCKED
)
SELECT follow_up.id
  FROM follow_up
  JOIN assignment_reminders.assignments a ON a.id = follow_up.assignment_id
 WHERE follow_up.status = 'pending'
   AND follow_up.anchor IS DISTINCT FROM
       assignment_reminders.silence_anchor(assignment_reminders.silent_since(a.last_contact_date, a.assigned_on))
