-- The beginning of statements about what is reported of a message: the message, by a log of it ($1), and whether what is reported ($4: verdict) is a soft bounce of
-- which a failure was counted before: another bounce, or that its reminder was given up for its recipient's sake, before somebody had it tried again. Of all else
-- nobody asks, and a reminder may have many logs. Indexes: send_logs_pkey, send_logs_message_idx, send_logs_sent_once_key.
WITH message AS MATERIALIZED (
    SELECT l.*, coalesce(l.message_id, l.provider_message_id) AS name FROM assignment_reminders.send_logs l WHERE l.id = $1
), counted AS MATERIALIZED (
    SELECT CASE WHEN $4 = 'soft'
                THEN EXISTS (SELECT FROM assignment_reminders.send_logs l
                               JOIN message m ON m.organization_id = l.organization_id AND m.name = l.message_id
                              WHERE l.status IN ('bounced', 'rejected') AND l.verdict IS DISTINCT FROM 'sender')
                     -- As counted_failures.sql has it.
                     OR EXISTS (SELECT FROM assignment_reminders.send_logs l
                                  JOIN message m ON m.reminder_id = l.reminder_id AND m.anchor IS NOT DISTINCT FROM l.anchor AND m.to_email = l.to_email
                                 WHERE l.status = 'failed' AND l.verdict IN ('soft', 'hard') AND (l.given_up OR l.verdict = 'hard'))
                ELSE false END AS was_counted
