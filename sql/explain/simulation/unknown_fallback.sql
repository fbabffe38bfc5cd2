-- The fallback coordinator whom settings ($2, JSON) name, where an organization ($1) has no such person. Index: users_pkey.
SELECT s.fallback_coordinator_id
  FROM jsonb_populate_record(NULL::assignment_reminders.reminder_settings, $2::jsonb) AS s
 WHERE s.fallback_coordinator_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM assignment_reminders.users u WHERE u.id = s.fallback_coordinator_id AND u.organization_id = $1)
