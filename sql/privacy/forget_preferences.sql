-- Deletes the preferences of locked people ($1). Returns what forget_user.sql does. Index: user_preferences_pkey.
WITH told AS MATERIALIZED (
    SELECT p.user_id FROM assignment_reminders.user_preferences p WHERE p.user_id = ANY ($1)
), written AS (
    DELETE FROM assignment_reminders.user_preferences p USING told WHERE p.user_id = told.user_id RETURNING p.user_id
)
SELECT w.user_id IS NOT NULL AS is_as_told FROM told LEFT JOIN written w ON w.user_id = told.user_id
