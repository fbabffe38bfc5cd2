-- How the daily run stands for the caller's organization.
SELECT to_jsonb(h) AS row FROM assignment_reminders.organization_health() AS h
