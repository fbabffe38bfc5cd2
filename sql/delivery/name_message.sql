-- Notes what the provider calls ($2) the message that a log ($1) is of. Where it is noted already, or no other name, nothing is written, and no row returned.
-- Index: send_logs_pkey.
UPDATE assignment_reminders.send_logs l
   SET provider_message_id = $2
 WHERE l.id = $1 AND l.provider_message_id IS NULL AND l.message_id IS DISTINCT FROM $2
RETURNING true AS is_new
