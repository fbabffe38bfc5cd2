-- Records reminders ($1) as sent at $4, with the provider's message ids ($2, pairwise) and the inbox ($3), and returns which. They are locked, or ($6) a single
-- one is not, which this claim may hold: what 0.1.0 claimed, without an address, is to be locked.
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
       AND ($6::uuid IS NULL OR (r.claim_id = $6 AND r.status IN ('pending', 'skipped') AND r.claimed_email IS NOT NULL))
    RETURNING r.id, r.organization_id, r.assignment_id, r.recipient_id, r.reminder_type, r.anchor, r.attempts, r.claimed_email,
              r.episode - (r.status <> 'sent')::integer AS episode, answer.message_id
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, status, attempt, episode)
SELECT assignment_reminders.time_ordered_id(), sent.organization_id, sent.id, sent.assignment_id, sent.reminder_type, sent.anchor,
       nullif(coalesce(sent.claimed_email,
                -- Whom 0.1.0 claimed it for.
                (SELECT u.email FROM assignment_reminders.users u
                  WHERE u.id = coalesce(sent.recipient_id,
                                        (SELECT a.student_id FROM assignment_reminders.assignments a WHERE a.id = sent.assignment_id)))), ''),
       -- An empty one would be that of all messages without one.
       $3, nullif(sent.message_id, ''), 'queued', sent.attempts, sent.episode
  FROM sent
RETURNING reminder_id
