-- Counts a bounce of an address ($2) in an organization ($1), hard ($3) or soft, and opts its owner out when it is hard or
-- reaches bounce_limit; $4: the report. Somebody who has changed their address since is left alone, and an earlier opt-out
-- keeps its reason. Index: users_email_key.
UPDATE assignment_reminders.users u
   SET soft_bounces = u.soft_bounces + CASE WHEN $3 THEN 0 ELSE 1 END,
       contact_opt_out = u.contact_opt_out OR $3 OR u.soft_bounces + 1 >= s.bounce_limit,
       contact_opt_out_reason =
           CASE WHEN u.contact_opt_out THEN u.contact_opt_out_reason
                WHEN $3 THEN concat_ws(': ', 'hard bounce', $4)
                WHEN u.soft_bounces + 1 >= s.bounce_limit
                THEN concat_ws(': ', format('%s soft bounces, the last one', u.soft_bounces + 1), $4)
                ELSE u.contact_opt_out_reason END,
       updated_at = now()
  FROM assignment_reminders.reminder_settings s
 WHERE u.organization_id = $1 AND u.email = $2 AND s.organization_id = u.organization_id
