-- The pauses of an organization's ($1) assignments as they were known from $2 to $3. Index: those of row_versions.
SELECT p.assignment_id AS id, v.valid_from, v.valid_to, p.paused_from AS first_day, coalesce(p.paused_until, 'infinity') AS last_day,
       p.cause = 'closed' AND p.paused_until IS NULL AS is_while_closed
  FROM assignment_reminders.row_versions('assignment_pauses', $2, $3, $1) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.assignment_pauses, v.row_version) AS p
