-- Gives inserted organizations their row of settings. Where any has an evaluation hour, runs may be hourly, and none is to be evaluated at night.
INSERT INTO assignment_reminders.reminder_settings (organization_id, evaluation_hour)
SELECT n.id, CASE WHEN EXISTS (SELECT FROM assignment_reminders.reminder_settings s WHERE s.evaluation_hour IS NOT NULL) THEN 7 END FROM new_rows n
    ON CONFLICT (organization_id) DO NOTHING
