-- Enqueues what is due about people, after day.sql: as about_assignment.sql does.
INSERT INTO assignment_reminders.reminders AS r
       (id, organization_id, recipient_id, reminder_type, anchor, scheduled_for, status, skip_reason)
SELECT assignment_reminders.time_ordered_id(), free.organization_id, free.recipient_id, free.reminder_type,
       free.anchor, free.scheduled_for, CASE WHEN free.skip_reason IS NULL THEN 'pending' ELSE 'skipped' END, free.skip_reason
  FROM free
 ORDER BY free.recipient_id, free.reminder_type
    ON CONFLICT (recipient_id, reminder_type) WHERE assignment_id IS NULL DO UPDATE
   SET anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
       status = excluded.status, skip_reason = excluded.skip_reason, episode = r.episode + 1,
       previous_sent_at = coalesce(r.sent_at, r.previous_sent_at), sent_at = NULL, attempts = 0, last_error = NULL, retry_at = NULL, updated_at = now(),
       claim_id = CASE WHEN r.anchor = excluded.anchor THEN r.claim_id END,
       claimed_until = CASE WHEN r.anchor = excluded.anchor THEN r.claimed_until END,
       claimed_email = CASE WHEN r.anchor = excluded.anchor THEN r.claimed_email END
 WHERE assignment_reminders.is_rearmed(
           r.reminder_type, r.anchor, r.status, r.skip_reason, excluded.anchor, excluded.skip_reason)
RETURNING r.*
