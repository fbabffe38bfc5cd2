-- What the mail provider calls a message, where that is not its Message-ID.

ALTER TABLE assignment_reminders.send_logs ADD COLUMN provider_message_id text COLLATE "C";
CREATE INDEX send_logs_provider_message_idx ON assignment_reminders.send_logs (provider_message_id) WHERE provider_message_id IS NOT NULL;
COMMENT ON COLUMN assignment_reminders.send_logs.provider_message_id IS
    'What the provider calls the message, where that is not message_id; by record_provider_message(). Once it is known it stays.';
