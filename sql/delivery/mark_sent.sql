-- Records locked reminders ($1) as sent at $4, with the provider's message ids ($2, pairwise) and the inbox ($3).
-- One that was withdrawn and now names nobody, though its type ($5) must, stays so: nobody else is to get it. Attempts stop counting where integers end.
-- A statement of its own for the reason that sql/counts/add.sql gives. Indexes: primary keys.
WITH sent AS (
    UPDATE assignment_reminders.reminders r
       SET status = CASE WHEN r.recipient_id IS NULL AND r.reminder_type = ANY ($5) THEN r.status ELSE 'sent' END,
           sent_at = CASE WHEN r.recipient_id IS NULL AND r.reminder_type = ANY ($5) THEN r.sent_at ELSE $4 END,
           skip_reason = CASE WHEN r.recipient_id IS NULL AND r.reminder_type = ANY ($5) THEN r.skip_reason END, attempts = least(r.attempts, 2147483646) + 1,
           -- Its episode is used up all the same.
           episode = CASE WHEN r.recipient_id IS NULL AND r.reminder_type = ANY ($5) THEN r.episode + 1 ELSE r.episode END,
           last_error = NULL, retry_at = NULL, claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM unnest($1::uuid[], $2::text[]) AS answer (reminder_id, message_id)
     WHERE r.id = answer.reminder_id
    RETURNING r.id, r.organization_id, r.assignment_id, r.recipient_id, r.reminder_type, r.anchor, r.attempts, r.claimed_email,
              r.episode - (r.status <> 'sent')::integer AS episode, answer.message_id
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, status, attempt, episode)
SELECT assignment_reminders.time_ordered_id(), sent.organization_id, sent.id, sent.assignment_id, sent.reminder_type, sent.anchor,
       coalesce(sent.claimed_email, u.email), $3, sent.message_id, 'queued', sent.attempts, sent.episode
  FROM sent
  -- Whom 0.1.0 claimed it for.
  LEFT JOIN LATERAL (
       SELECT a.student_id FROM assignment_reminders.assignments a
        WHERE a.id = CASE WHEN sent.claimed_email IS NULL AND sent.recipient_id IS NULL THEN sent.assignment_id END LIMIT 1
       ) AS a ON true
  LEFT JOIN LATERAL (
       SELECT u.email FROM assignment_reminders.users u
        WHERE u.id = CASE WHEN sent.claimed_email IS NULL THEN coalesce(sent.recipient_id, a.student_id) END LIMIT 1
       ) AS u ON true
