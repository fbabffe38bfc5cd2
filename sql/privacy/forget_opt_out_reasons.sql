-- Takes addresses ($2) out of the reasons for which other, locked people ($1) are opted out; $3 and $4 as in lock_quotes.sql.
-- Returns what forget_user.sql does. Index: users_pkey.
WITH told AS MATERIALIZED (
    SELECT u.id,
           assignment_reminders.without_addresses(u.contact_opt_out_reason, $2, ARRAY(
               SELECT s.address FROM unnest($3::uuid[], $4::text[]) AS s (organization_id, address)
                WHERE s.organization_id = u.organization_id)) AS reason
      FROM assignment_reminders.users u
     WHERE u.id = ANY ($1)
), written AS (
    UPDATE assignment_reminders.users u
       SET contact_opt_out_reason = told.reason, updated_at = now()
      FROM told
     WHERE u.id = told.id
    RETURNING u.id, u.contact_opt_out_reason = told.reason AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
