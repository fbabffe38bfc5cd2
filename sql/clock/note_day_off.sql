-- Notes that what calls for follow-ups was changed in an organization ($1), once in a transaction. Index: reminder_settings_pkey.
UPDATE assignment_reminders.reminder_settings s SET thresholds_changed_at = now()
 WHERE s.organization_id = $1 AND s.thresholds_changed_at IS DISTINCT FROM now()
