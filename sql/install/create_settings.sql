-- Gives inserted organizations their row of settings.
INSERT INTO assignment_reminders.reminder_settings (organization_id)
SELECT n.id FROM new_rows n
    ON CONFLICT (organization_id) DO NOTHING
