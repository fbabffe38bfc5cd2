-- Gives everybody who was inserted without the trigger, or before there was one, their token, as create_tokens.sql does.
INSERT INTO assignment_reminders.unsubscribe_tokens (user_id)
SELECT u.id FROM assignment_reminders.users u
 WHERE NOT EXISTS (SELECT FROM assignment_reminders.unsubscribe_tokens t WHERE t.user_id = u.id)
    ON CONFLICT (user_id) DO NOTHING
RETURNING user_id
