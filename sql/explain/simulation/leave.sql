-- The absences of an organization's ($1) mentors as they were known from $2 to $3. Index: those of row_versions.
SELECT p.peer_mentor_id AS id, v.valid_from, v.valid_to, p.paused_from AS first_day, coalesce(p.paused_until, 'infinity') AS last_day
  FROM assignment_reminders.row_versions('mentor_pauses', $2, $3, $1) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.mentor_pauses, v.row_version) AS p
