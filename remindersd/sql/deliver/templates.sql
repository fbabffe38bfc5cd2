-- The words that an organization ($1; NULL: every one) has stored. Index: message_templates_pkey.
SELECT t.organization_id, t.locale, t.name, t.body
  FROM assignment_reminders.message_templates t
 WHERE ($1::uuid IS NULL OR t.organization_id = $1)
 ORDER BY t.organization_id, t.locale, t.name
