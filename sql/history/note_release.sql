-- Notes that what was held of an organization ($1) was released, or is held no more. $2: when. Index: organization_evaluations_pkey.
INSERT INTO assignment_reminders.reminder_events (organization_id, event, happened_at)
SELECT e.organization_id, CASE WHEN e.held_at IS NULL THEN 'hold-ended' ELSE 'released' END, $2
  FROM assignment_reminders.organization_evaluations e
 WHERE e.organization_id = $1
