-- How many messages were refused in the day before $2 for the sender's sake, not the recipient's. $1: organization (NULL: all).
-- Index: send_logs_sender_idx.
SELECT count(DISTINCT (l.organization_id, coalesce(l.message_id, l.reminder_id::text))) AS refused
  FROM assignment_reminders.send_logs l
 WHERE l.verdict = 'sender' AND ($1::uuid IS NULL OR l.organization_id = $1)
   AND l.created_at > $2 - interval '24 hours' AND l.created_at <= $2
