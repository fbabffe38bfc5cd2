-- Gives inserted people their token to unsubscribe by.
INSERT INTO assignment_reminders.unsubscribe_tokens (user_id) SELECT n.id FROM new_rows n ON CONFLICT (user_id) DO NOTHING
