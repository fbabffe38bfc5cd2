-- Notes what a run held ($1: its row of evaluation_runs). $2: when. Index: evaluation_runs_pkey.
INSERT INTO assignment_reminders.reminder_events (organization_id, event, reason, run_id, as_of, happened_at)
SELECT e.organization_id, 'held', e.backlog::text, e.id, e.as_of, $2
  FROM assignment_reminders.evaluation_runs e
 WHERE e.id = $1
