-- What was enqueued. All from the rows that were written: joined with what was due, of which the planner knows little, it might compare each with each.
SELECT enqueued.id AS reminder_id, enqueued.organization_id, enqueued.assignment_id, kind.kind AS action,
       assignment_reminders.days_since_last_contact(
           (enqueued.anchor AT TIME ZONE 'UTC')::date, ($1 AT TIME ZONE o.timezone)::date) AS days_since,
       enqueued.reminder_type, enqueued.recipient_id, enqueued.skip_reason, enqueued.anchor, enqueued.scheduled_for
  FROM enqueued
  JOIN assignment_reminders.organizations o ON o.id = enqueued.organization_id
  LEFT JOIN assignment_reminders.reminder_kinds() AS kind ON kind.reminder_type = enqueued.reminder_type
 ORDER BY enqueued.organization_id, days_since DESC, enqueued.assignment_id, enqueued.reminder_type, enqueued.recipient_id
