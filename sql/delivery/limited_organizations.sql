-- The organizations that limit their messages a minute, and whether their claims are counted yet; those whose sending is paused at $2 may send
-- none. $1: the only one, or NULL. A pause that ends later than any may was begun by a clock that was ahead (rules/answer.rs), and stops nobody.
-- reminder_settings holds one row per organization. Index: claim_rates_paused_idx.
SELECT s.organization_id, s.messages_per_minute, c.organization_id IS NOT NULL AS is_counted
  FROM assignment_reminders.reminder_settings s
  LEFT JOIN assignment_reminders.claim_rates c ON c.organization_id = s.organization_id
 WHERE s.messages_per_minute IS NOT NULL AND ($1::uuid IS NULL OR s.organization_id = $1)
   AND (c.paused_until > $2 AND c.paused_until <= $2 + interval '1 hour') IS NOT TRUE
 UNION ALL
SELECT c.organization_id, 0, true
  FROM assignment_reminders.claim_rates c
 WHERE c.paused_until > $2 AND c.paused_until <= $2 + interval '1 hour' AND ($1::uuid IS NULL OR c.organization_id = $1)
