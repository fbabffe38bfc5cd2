-- Those of the locked reminders ($1) of which a failure counted before, against the address that they were claimed for now: however often it is tried, it is one message.
-- Indexes: reminders_pkey, send_logs_sent_once_key.
SELECT r.id
  FROM assignment_reminders.reminders r
 WHERE r.id = ANY ($1)
   AND EXISTS (SELECT FROM assignment_reminders.send_logs l
                WHERE l.reminder_id = r.id AND l.status = 'failed' AND l.verdict IN ('soft', 'hard') AND (l.given_up OR l.verdict = 'hard')
                  AND l.anchor IS NOT DISTINCT FROM r.anchor AND l.to_email = r.claimed_email)
