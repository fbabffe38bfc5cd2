-- How many messages were refused in the day before $2 for the sender's sake, not the recipient's. $1: organization (NULL: all). What has no message id is known by
-- the answer (its transaction) that told of it last, and its address: the reminders of one digest are one message, however often it is tried.
-- Index: send_logs_sender_idx.
SELECT count(DISTINCT (l.organization_id, l.message_id, CASE WHEN l.message_id IS NULL THEN l.answered_at END,
                       CASE WHEN l.message_id IS NULL THEN l.to_email END)) AS refused
  FROM (SELECT l.organization_id, l.message_id, l.to_email, max(l.created_at) AS answered_at
          FROM assignment_reminders.send_logs l
         WHERE l.verdict = 'sender' AND ($1::uuid IS NULL OR l.organization_id = $1)
           AND l.created_at > $2 - interval '24 hours' AND l.created_at <= $2
         GROUP BY l.organization_id, l.message_id, l.to_email, coalesce(l.reminder_id, l.claimed_reminder_id)) AS l
