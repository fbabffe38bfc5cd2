-- Locks whoever has an address ($2) in an organization ($1), so that reports of messages to it are counted one after the other, and returns
-- what decides. Somebody who has changed their address since is left alone. Index: users_email_key.
SELECT u.id, u.contact_opt_out, u.soft_bounced_at, coalesce(s.bounce_limit, 3) AS bounce_limit
  FROM assignment_reminders.users u
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = u.organization_id
 WHERE u.organization_id = $1 AND u.email = $2
   FOR NO KEY UPDATE OF u
