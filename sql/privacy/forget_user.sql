-- Empties the row of a locked person ($1), and opts them out for the reason $2, where that is not done. Returns, for each row that was
-- to be written, whether it is as told: a trigger of the owner's may have kept it from being written. Index: users_pkey.
WITH told AS MATERIALIZED (
    SELECT u.id FROM assignment_reminders.users u
     WHERE u.id = $1
       AND (u.email IS NOT NULL OR coalesce(u.name, '') <> '' OR u.timezone IS NOT NULL OR NOT u.contact_opt_out
            OR u.contact_opt_out_reason IS DISTINCT FROM $2 OR u.soft_bounces <> 0 OR u.soft_bounced_at <> '{}' OR u.auth_user_id IS NOT NULL OR u.role <> 'member')
), written AS (
    UPDATE assignment_reminders.users u
       SET email = NULL, name = '', timezone = NULL, contact_opt_out = true, contact_opt_out_reason = $2, soft_bounces = 0, soft_bounced_at = '{}',
           auth_user_id = NULL, role = 'member', updated_at = now()
      FROM told
     WHERE u.id = told.id
    RETURNING u.id, u.email IS NULL AND u.name = '' AND u.timezone IS NULL AND u.contact_opt_out
                    AND u.contact_opt_out_reason = $2 AND u.soft_bounces = 0 AND u.soft_bounced_at = '{}'
                    AND u.auth_user_id IS NULL AND u.role = 'member' AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
