-- Notes the reminders that a statement inserted: those that wait, and those that were found due and not to be sent. $1: the run, $2: as_of,
-- $3: when.
INSERT INTO assignment_reminders.reminder_events
       (organization_id, reminder_id, assignment_id, recipient_id, peer_mentor_id, reminder_type, anchor, episode, event, reason, run_id, as_of, happened_at)
SELECT n.organization_id, n.id, n.assignment_id, n.recipient_id, n.peer_mentor_id, n.reminder_type, n.anchor, n.episode,
       CASE n.status WHEN 'pending' THEN 'enqueued' ELSE 'skipped' END, n.skip_reason, $1, $2, $3
  FROM new_rows n
 WHERE n.status IN ('pending', 'skipped')
