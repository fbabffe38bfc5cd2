-- The corrections of contact dates of an organization ($1) as they were known from $2 to $3. Index: those of row_versions.
SELECT c.assignment_id AS id, v.valid_from, v.valid_to, c.number, c.new_date
  FROM assignment_reminders.row_versions('contact_corrections', $2, $3, $1) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.contact_corrections, v.row_version) AS c
