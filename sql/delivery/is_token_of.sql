-- Whether a token ($1) to unsubscribe by is still this locked person's ($2). Index: unsubscribe_tokens_token_key.
SELECT EXISTS (SELECT FROM assignment_reminders.unsubscribe_tokens t WHERE t.token = $1 AND t.user_id = $2) AS is_theirs
