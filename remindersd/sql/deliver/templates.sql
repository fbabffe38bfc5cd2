-- The words that organizations ($1; NULL: every one) have stored, up to 200 templates of each: more than there are kinds and languages. Index: message_templates_pkey.
SELECT of.organization_id, t.locale, t.name, t.body
  FROM (SELECT DISTINCT t.organization_id FROM assignment_reminders.message_templates t
         WHERE ($1::uuid IS NULL OR t.organization_id = $1)) AS of
 CROSS JOIN LATERAL (
       SELECT t.locale, t.name, t.body FROM assignment_reminders.message_templates t
        WHERE t.organization_id = of.organization_id
        ORDER BY t.locale, t.name LIMIT 200
       ) AS t
 ORDER BY of.organization_id, t.locale, t.name
