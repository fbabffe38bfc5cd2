-- Enqueues what is due, and returns it: the end of each of the statements that src/delivery/enqueue.rs puts together, after
-- "WITH due AS MATERIALIZED (...)", where ... is silence.sql, due_date.sql or day.sql.
--
-- Rows are written in (assignment, type) order, as contact withdraws them, so that the two cannot deadlock. A row that is there is
-- re-armed where src/rules/outbox.rs says so, asked once more of the row as it is then, not as the query saw it.
about_assignment AS (
    INSERT INTO assignment_reminders.reminders AS r
           (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for, status, skip_reason)
    SELECT assignment_reminders.time_ordered_id(), due.organization_id, due.assignment_id, due.recipient_id, due.reminder_type,
           due.anchor, due.scheduled_for, CASE WHEN due.skip_reason IS NULL THEN 'pending' ELSE 'skipped' END, due.skip_reason
      FROM due
     WHERE due.assignment_id IS NOT NULL
     ORDER BY due.assignment_id, due.reminder_type
        ON CONFLICT (assignment_id, reminder_type) DO UPDATE
       SET recipient_id = excluded.recipient_id, anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
           status = excluded.status, skip_reason = excluded.skip_reason,
           sent_at = NULL, attempts = 0, last_error = NULL, retry_at = NULL, updated_at = now(),
           -- A worker may still be sending for this anchor.
           claim_id = CASE WHEN r.anchor = excluded.anchor THEN r.claim_id END,
           claimed_until = CASE WHEN r.anchor = excluded.anchor THEN r.claimed_until END
     WHERE assignment_reminders.is_rearmed(
               r.reminder_type, r.anchor, r.status, r.skip_reason, excluded.anchor, excluded.skip_reason)
    RETURNING r.*
), about_person AS (
    INSERT INTO assignment_reminders.reminders AS r
           (id, organization_id, recipient_id, reminder_type, anchor, scheduled_for, status, skip_reason)
    SELECT assignment_reminders.time_ordered_id(), due.organization_id, due.recipient_id, due.reminder_type,
           due.anchor, due.scheduled_for, CASE WHEN due.skip_reason IS NULL THEN 'pending' ELSE 'skipped' END, due.skip_reason
      FROM due
     WHERE due.assignment_id IS NULL
     ORDER BY due.recipient_id, due.reminder_type
        ON CONFLICT (recipient_id, reminder_type) WHERE assignment_id IS NULL DO UPDATE
       SET anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
           status = excluded.status, skip_reason = excluded.skip_reason,
           sent_at = NULL, attempts = 0, last_error = NULL, retry_at = NULL, updated_at = now(),
           claim_id = CASE WHEN r.anchor = excluded.anchor THEN r.claim_id END,
           claimed_until = CASE WHEN r.anchor = excluded.anchor THEN r.claimed_until END
     WHERE assignment_reminders.is_rearmed(
               r.reminder_type, r.anchor, r.status, r.skip_reason, excluded.anchor, excluded.skip_reason)
    RETURNING r.*
)
-- All from the rows that were written: joined with what was due, of which the planner knows little, it might compare each with each.
SELECT enqueued.id AS reminder_id, enqueued.organization_id, enqueued.assignment_id, kind.kind AS action,
       assignment_reminders.days_since_last_contact(
           (enqueued.anchor AT TIME ZONE 'UTC')::date, ($1 AT TIME ZONE o.timezone)::date) AS days_since,
       enqueued.reminder_type, enqueued.recipient_id, enqueued.skip_reason, enqueued.anchor, enqueued.scheduled_for
  FROM (SELECT * FROM about_assignment UNION ALL SELECT * FROM about_person) AS enqueued
  JOIN assignment_reminders.organizations o ON o.id = enqueued.organization_id
  LEFT JOIN assignment_reminders.reminder_kinds() AS kind ON kind.reminder_type = enqueued.reminder_type
 ORDER BY enqueued.organization_id, days_since DESC, enqueued.assignment_id, enqueued.reminder_type, enqueued.recipient_id
