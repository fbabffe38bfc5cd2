-- Deletes a locked person's ($1) token to unsubscribe by, which nobody but they and its workers have. Returns what forget_user.sql does. Index:
-- unsubscribe_tokens_pkey.
WITH told AS MATERIALIZED (
    SELECT t.user_id FROM assignment_reminders.unsubscribe_tokens t WHERE t.user_id = $1
), written AS (
    DELETE FROM assignment_reminders.unsubscribe_tokens t USING told WHERE t.user_id = told.user_id RETURNING t.user_id
)
SELECT w.user_id IS NOT NULL AS is_as_told FROM told LEFT JOIN written w ON w.user_id = told.user_id
