-- The days off of an organization ($1) as they were known from $2 to $3. Index: those of row_versions.
SELECT v.row_id AS id, v.valid_from, v.valid_to, d.first_day, d.last_day
  FROM assignment_reminders.row_versions('days_off', $2, $3, $1) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.days_off, v.row_version) AS d
