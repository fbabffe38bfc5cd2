-- Locks whoever has the address that a message (reported_message.sql) went to, so that reports of messages to it are counted one after the other, and returns
-- what decides. Nobody is locked, nor waited for, of whom this report ($2: status, $3: event, $4: verdict) changes nothing: it was recorded before; the message
-- arrived, and none had bounced; it bounced softly, and that was counted. Somebody who has changed their address since is left alone.
-- Indexes: users_email_key, send_logs_event_key.
)
SELECT u.id, u.contact_opt_out, u.soft_bounced_at, coalesce(s.bounce_limit, 3) AS bounce_limit
  FROM message m
  JOIN assignment_reminders.users u ON u.organization_id = m.organization_id AND u.email = m.to_email
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = u.organization_id
 WHERE ($2 <> 'delivered' OR cardinality(u.soft_bounced_at) > 0)
   AND NOT (SELECT c.was_counted FROM counted c)
   AND NOT EXISTS (SELECT FROM assignment_reminders.send_logs e
                    WHERE e.organization_id = m.organization_id AND e.event_id = coalesce($3, concat_ws('/', m.name, $2, $4)))
   FOR NO KEY UPDATE OF u
