-- Whether people ($4) of an organization ($1) could be written to from $2 to $3. Index: those of row_versions.
SELECT v.row_id AS id, v.valid_from, v.valid_to, u.contact_opt_out, u.email IS NOT NULL AS has_address
  FROM assignment_reminders.row_versions('users', $2, $3, $1, $4) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.users, v.row_version) AS u
