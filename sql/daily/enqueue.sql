-- Enqueues every follow-up that is due: the one statement of a run. $1: as_of.
-- Rows are written in (assignment, type) order, as contact withdraws them, so the two cannot deadlock. The condition on
-- the update holds against the row as it is then, not as the evaluation saw it.
WITH due AS MATERIALIZED (
    SELECT * FROM assignment_reminders.evaluate_assignments($1)
), enqueued AS (
    INSERT INTO assignment_reminders.reminders AS r
           (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for, status, skip_reason)
    SELECT assignment_reminders.time_ordered_id(), due.organization_id, due.assignment_id, due.recipient_id, due.reminder_type, due.anchor, $1,
           CASE WHEN due.skip_reason IS NULL THEN 'pending' ELSE 'skipped' END, due.skip_reason
      FROM due
     ORDER BY due.assignment_id, due.reminder_type
        ON CONFLICT (assignment_id, reminder_type) DO UPDATE
       SET recipient_id = excluded.recipient_id, anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
           sent_at = NULL, status = excluded.status, attempts = 0, last_error = NULL,
           skip_reason = excluded.skip_reason, retry_at = NULL, updated_at = now(),
           -- A worker may still be sending for this anchor.
           claim_id = CASE WHEN r.anchor = excluded.anchor THEN r.claim_id END,
           claimed_until = CASE WHEN r.anchor = excluded.anchor THEN r.claimed_until END
     WHERE r.anchor IS DISTINCT FROM excluded.anchor
        OR (r.status = 'skipped' AND r.skip_reason IS DISTINCT FROM excluded.skip_reason)
    RETURNING r.id, r.assignment_id
)
SELECT enqueued.id, due.organization_id, due.assignment_id, due.action, due.days_since, due.reminder_type,
       due.recipient_id, due.skip_reason, due.anchor
  FROM enqueued
  JOIN due ON due.assignment_id = enqueued.assignment_id
 ORDER BY due.organization_id, due.days_since DESC, due.assignment_id
