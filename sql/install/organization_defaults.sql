-- The commands that make the defaults of organization_id call the function $1, where they call the other of the two.
SELECT format('ALTER TABLE assignment_reminders.%I ALTER COLUMN %I SET DEFAULT assignment_reminders.%I()', d.relation, d.name, $1) AS command
  FROM assignment_reminders.installed_definitions() AS d
 WHERE d.kind = 'default'
   AND d.definition IN ('assignment_reminders.default_organization()', 'assignment_reminders.named_organization()')
   AND d.definition <> format('assignment_reminders.%I()', $1)
 ORDER BY d.relation COLLATE "C"
