-- Which follow-ups people ($4) of an organization ($1) had muted from $2 to $3. Index: those of row_versions.
SELECT v.row_id AS id, v.valid_from, v.valid_to,
       assignment_reminders.is_muted(p.muted_types, assignment_reminders.reminder_type_of('remind')) AS reminders,
       assignment_reminders.is_muted(p.muted_types, assignment_reminders.reminder_type_of('escalate')) AS escalations
  FROM assignment_reminders.row_versions('user_preferences', $2, $3, $1, $4) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.user_preferences, v.row_version) AS p
