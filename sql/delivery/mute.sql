-- Adds what a person ($1) mutes ($2), where nothing there covers it: one of $3, or all of $4. No row: something does. Whoever does the same at the same time is
-- waited for, and what they added stays. Index: users_pkey, user_preferences_pkey.
INSERT INTO assignment_reminders.user_preferences AS p (organization_id, user_id, muted_types)
SELECT u.organization_id, u.id, ARRAY[$2] FROM assignment_reminders.users u WHERE u.id = $1
    ON CONFLICT (user_id) DO UPDATE
   SET muted_types = p.muted_types || excluded.muted_types, updated_at = now()
 WHERE NOT p.muted_types && $3 AND NOT p.muted_types @> $4
RETURNING true AS is_new
