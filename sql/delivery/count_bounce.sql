-- What a report means for a locked person ($1): when messages to them bounced softly ($2), and whether they are opted out, and why ($3; NULL:
-- they are not). An earlier opt-out keeps its reason. Index: users_pkey.
UPDATE assignment_reminders.users u
   SET soft_bounced_at = $2, soft_bounces = cardinality($2), contact_opt_out = u.contact_opt_out OR $3 IS NOT NULL,
       contact_opt_out_reason = CASE WHEN u.contact_opt_out OR $3 IS NULL THEN u.contact_opt_out_reason ELSE $3 END,
       updated_at = now()
 WHERE u.id = $1
