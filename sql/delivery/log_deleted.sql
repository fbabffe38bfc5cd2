-- Logs the answer for a reminder ($1) that was deleted while a claim ($2) held it: the status $3, the message $4 from the inbox $5, or the error $6 and its verdict $7. Once.
-- Where the log has no address any more, the text goes, which may quote it. Index: send_logs_claim_key.
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, claimed_reminder_id, claim_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, status, verdict, error, attempt)
SELECT assignment_reminders.time_ordered_id(), l.organization_id, l.claimed_reminder_id, l.claim_id, l.assignment_id, l.reminder_type, l.anchor, l.to_email,
       $5, nullif($4, ''), $3, $7, CASE WHEN l.to_email IS NULL THEN assignment_reminders.without_text($6) ELSE $6 END, l.attempt
  FROM assignment_reminders.send_logs l
 WHERE l.claim_id = $2 AND l.claimed_reminder_id = $1 AND (l.status = 'claimed')
    ON CONFLICT (claim_id, claimed_reminder_id, (status = 'claimed')) WHERE claim_id IS NOT NULL DO NOTHING
RETURNING organization_id, to_email
