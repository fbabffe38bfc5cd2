-- Gives every organization that was inserted without the trigger its row of settings.
INSERT INTO assignment_reminders.reminder_settings (organization_id)
SELECT o.id FROM assignment_reminders.organizations o
    ON CONFLICT (organization_id) DO NOTHING
RETURNING organization_id
