-- Takes back a person's ($1) opt-out. Returns whether there was one. Index: users_pkey.
UPDATE assignment_reminders.users u
   SET contact_opt_out = false, contact_opt_out_reason = NULL, soft_bounces = 0, soft_bounced_at = '{}', updated_at = now()
  FROM (SELECT o.id, o.contact_opt_out FROM assignment_reminders.users o WHERE o.id = $1 FOR NO KEY UPDATE) AS before
 WHERE u.id = before.id
RETURNING before.contact_opt_out AS was_opted_out
