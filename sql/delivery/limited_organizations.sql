-- The organizations that limit their messages a minute, and whether their claims are counted yet. $1: the only one, or NULL.
-- reminder_settings holds one row per organization.
SELECT s.organization_id, s.messages_per_minute, c.organization_id IS NOT NULL AS is_counted
  FROM assignment_reminders.reminder_settings s
  LEFT JOIN assignment_reminders.claim_rates c ON c.organization_id = s.organization_id
 WHERE s.messages_per_minute IS NOT NULL AND ($1::uuid IS NULL OR s.organization_id = $1)
