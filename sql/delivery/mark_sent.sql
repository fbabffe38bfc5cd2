-- Records reminders ($1) that a claim ($5) still holds as sent at $4, with the provider's message ids ($2, pairwise) and the
-- inbox ($3). Returns those recorded. One that was withdrawn after its claim may still be answered.
-- Rows are written in the order in which contact and the daily run write them: the nested loop over what is held keeps to
-- it. One that is being changed is waited for, and judged as it is then. Indexes: primary keys.
WITH held AS MATERIALIZED (
    SELECT r.id, answer.message_id
      FROM unnest($1::uuid[], $2::text[]) AS answer (reminder_id, message_id)
      JOIN assignment_reminders.reminders r ON r.id = answer.reminder_id
     WHERE r.claim_id = $5
     ORDER BY r.assignment_id, r.reminder_type
), sent AS (
    UPDATE assignment_reminders.reminders r
       SET status = 'sent', sent_at = $4, attempts = r.attempts + 1, skip_reason = NULL, last_error = NULL, retry_at = NULL,
           claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM held
     WHERE r.id = held.id AND r.claim_id = $5 AND r.status IN ('pending', 'skipped')
    RETURNING r.id, r.organization_id, r.assignment_id, r.recipient_id, r.reminder_type, r.anchor, r.attempts, held.message_id
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, status, attempt)
SELECT assignment_reminders.time_ordered_id(), sent.organization_id, sent.id, sent.assignment_id, sent.reminder_type, sent.anchor,
       u.email, $3, sent.message_id, 'queued', sent.attempts
  FROM sent
  LEFT JOIN assignment_reminders.assignments a ON a.id = CASE WHEN sent.recipient_id IS NULL THEN sent.assignment_id END
  LEFT JOIN assignment_reminders.users u ON u.id = coalesce(sent.recipient_id, a.student_id)
RETURNING reminder_id
