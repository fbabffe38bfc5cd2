-- The settings of an organization ($1) from $2 to $3, where others ($4) are not asked for. 0 days switch an action off. Index: those of row_versions.
SELECT v.row_id AS id, v.valid_from, v.valid_to, nullif(s.reminder_after_days, 0) AS reminder_after_days,
       nullif(s.escalate_after_days, 0) AS escalate_after_days, coalesce(s.escalation_grace_days, 0) AS escalation_grace_days, s.weekly_days_off,
       s.follow_up_from, s.fallback_coordinator_id, s.address_required IS NOT FALSE AS is_address_required
  FROM assignment_reminders.row_versions('reminder_settings', $2, $3, $1) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.reminder_settings, v.row_version || $4::jsonb) AS s
