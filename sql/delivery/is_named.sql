-- Whether the message that a log ($1) is of is called so ($2) already. Index: send_logs_pkey.
SELECT EXISTS (SELECT FROM assignment_reminders.send_logs l
                WHERE l.id = $1 AND (l.provider_message_id = $2 OR l.message_id = $2)) AS is_named
