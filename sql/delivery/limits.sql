-- What limits the messages of organizations ($1) at $2, and whether their sending is paused: then nothing is to be claimed. A pause that ends later than any
-- may was begun by a clock that was ahead (src/rules/answer.rs), and stops nobody. Index: primary keys.
SELECT o.organization_id, s.messages_per_minute, c.organization_id IS NOT NULL AS is_counted,
       (c.paused_until > $2 AND c.paused_until <= $2 + interval '1 hour') IS TRUE AS is_paused
  FROM unnest($1::uuid[]) AS o (organization_id)
  -- LIMIT 1, of unique rows: look-ups by key, where joining the tables whole would be planned for any number of organizations.
  LEFT JOIN LATERAL (
       SELECT s.messages_per_minute FROM assignment_reminders.reminder_settings s WHERE s.organization_id = o.organization_id LIMIT 1
       ) AS s ON true
  LEFT JOIN LATERAL (
       SELECT c.organization_id, c.paused_until FROM assignment_reminders.claim_rates c WHERE c.organization_id = o.organization_id LIMIT 1
       ) AS c ON true
