-- Those of the reminders $1 that were deleted while the claim $2 held them; with what src/delivery/deleted.rs adds, their logs are locked as lock_log.sql
-- does. Index: send_logs_claim_key.
SELECT l.claimed_reminder_id AS id
  FROM assignment_reminders.send_logs l
 WHERE l.claim_id = $2 AND l.claimed_reminder_id = ANY ($1) AND (l.status = 'claimed')
