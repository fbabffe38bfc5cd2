-- Notes what a statement made of reminders ($1; $6, pairwise: only to whom they go) that were armed again, or are not to be sent ($2: since they
-- were withdrawn). $3: the run, $4: as_of, $5: when. Index: reminders_pkey.
INSERT INTO assignment_reminders.reminder_events
       (organization_id, reminder_id, assignment_id, recipient_id, peer_mentor_id, reminder_type, anchor, episode, event, reason, run_id, as_of, happened_at)
SELECT r.organization_id, r.id, r.assignment_id, r.recipient_id, r.peer_mentor_id, r.reminder_type, r.anchor, r.episode,
       CASE WHEN changed.is_readdressed THEN 're-addressed' WHEN r.status <> 'skipped' THEN 're-armed' WHEN $2 THEN 'withdrawn' ELSE 'skipped' END,
       CASE r.status WHEN 'skipped' THEN r.skip_reason END, $3, $4, $5
  FROM unnest($1::uuid[], $6::boolean[]) AS changed (reminder_id, is_readdressed)
  JOIN assignment_reminders.reminders r ON r.id = changed.reminder_id
