-- Leases that are extended, after held.sql and judge.sql: what is still to be sent to the address that its worker has is kept for $3. What a claim
-- would skip is skipped, and its claim stays for an answer that comes nevertheless; what is somebody else's now goes back to the queue, with
-- no attempt lost. Returns what is kept. Index: reminders_pkey.
), outcome AS MATERIALIZED (
    SELECT judged.reminder_id, judged.skip_reason,
           judged.new_recipient_id IS NULL
               AND (judged.claimed_email IS NULL OR judged.claimed_email = coalesce(judged.recipient_email, '')) AS is_theirs
      FROM judged
)
UPDATE assignment_reminders.reminders r
   SET status = CASE WHEN outcome.skip_reason IS NULL THEN r.status ELSE 'skipped' END,
       skip_reason = outcome.skip_reason,
       claim_id = CASE WHEN outcome.skip_reason IS NOT NULL OR outcome.is_theirs THEN r.claim_id END,
       claimed_until = CASE WHEN outcome.skip_reason IS NOT NULL THEN 'epoch' WHEN outcome.is_theirs THEN $1 + $3 END,
       updated_at = now()
  FROM outcome
 WHERE r.id = outcome.reminder_id
RETURNING r.id, r.status = 'pending' AND r.claim_id IS NOT NULL AS is_kept
