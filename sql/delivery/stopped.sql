-- Those of locked reminders ($1) of which a claim at $2 would hand out nothing, whatever they are: their organization's sending is paused, as queues.sql says
-- it, or messages_per_minute is 0. Index: primary keys.
SELECT r.id
  FROM assignment_reminders.reminders r
  -- LIMIT 1, of unique rows: look-ups by key.
  LEFT JOIN LATERAL (
       SELECT s.messages_per_minute FROM assignment_reminders.reminder_settings s WHERE s.organization_id = r.organization_id LIMIT 1
       ) AS s ON true
  LEFT JOIN LATERAL (
       SELECT c.paused_until FROM assignment_reminders.claim_rates c WHERE c.organization_id = r.organization_id LIMIT 1
       ) AS c ON true
 WHERE r.id = ANY ($1)
   AND (s.messages_per_minute = 0 OR c.paused_until > $2 AND c.paused_until <= $2 + interval '1 hour')
