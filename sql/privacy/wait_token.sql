-- Waits until nobody holds the token of a person ($1). Index: unsubscribe_tokens_pkey.
SELECT t.user_id FROM assignment_reminders.unsubscribe_tokens t WHERE t.user_id = $1 FOR UPDATE
