-- Locks a locked person's ($1) token to unsubscribe by, unless somebody else holds it, and returns it, and whether it is. Index: unsubscribe_tokens_pkey.
WITH locked AS MATERIALIZED (
    SELECT t.user_id FROM assignment_reminders.unsubscribe_tokens t WHERE t.user_id = $1 FOR UPDATE SKIP LOCKED
)
SELECT 'unsubscribe_tokens' AS name, t.user_id AS id, t.user_id IN (SELECT l.user_id FROM locked l) AS is_locked
  FROM assignment_reminders.unsubscribe_tokens t
 WHERE t.user_id = $1
