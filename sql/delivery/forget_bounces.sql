-- A message arrived at an address ($2) of an organization ($1): earlier soft bounces no longer count. Index: users_email_key.
UPDATE assignment_reminders.users u SET soft_bounces = 0, updated_at = now()
 WHERE u.organization_id = $1 AND u.email = $2 AND u.soft_bounces > 0
