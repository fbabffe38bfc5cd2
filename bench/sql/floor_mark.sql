-- The floor: marks what a claim ($2) holds of these reminders ($1) as sent, and logs it, with the message ids ($3, pairwise), and the address
-- where the claim kept one.
WITH sent AS (
    UPDATE assignment_reminders.reminders r
       SET status = 'sent', sent_at = now(), attempts = r.attempts + 1, claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM unnest($1::uuid[], $3::text[]) AS answer (id, message_id)
     WHERE r.id = answer.id AND r.claim_id = $2
    RETURNING r.id, r.organization_id, r.assignment_id, r.reminder_type, r.anchor, r.attempts, r.claimed_email, answer.message_id
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, status, attempt)
SELECT assignment_reminders.time_ordered_id(), organization_id, id, assignment_id, reminder_type, anchor, claimed_email,
       'bench@example.org', message_id, 'queued', attempts
  FROM sent
