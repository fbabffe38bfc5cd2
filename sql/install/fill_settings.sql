-- Gives every organization that was inserted without the trigger its row of settings, as create_settings.sql does.
INSERT INTO assignment_reminders.reminder_settings (organization_id, evaluation_hour)
SELECT o.id, CASE WHEN EXISTS (SELECT FROM assignment_reminders.reminder_settings s WHERE s.evaluation_hour IS NOT NULL) THEN 7 END
  FROM assignment_reminders.organizations o
    ON CONFLICT (organization_id) DO NOTHING
RETURNING organization_id
