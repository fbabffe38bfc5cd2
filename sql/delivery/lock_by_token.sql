-- Locks whoever has this token ($1) to unsubscribe by, as lock_bounced.sql does by their address. Whether they still have it after somebody was waited for,
-- is_token_of.sql says: Postgres looks again at the row that is locked, not at the token. Index: unsubscribe_tokens_token_key, users_pkey.
SELECT u.id, u.contact_opt_out, u.soft_bounced_at, coalesce(s.bounce_limit, 3) AS bounce_limit
  FROM assignment_reminders.unsubscribe_tokens t
  JOIN assignment_reminders.users u ON u.id = t.user_id
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = u.organization_id
 WHERE t.token = $1
   FOR NO KEY UPDATE OF u
