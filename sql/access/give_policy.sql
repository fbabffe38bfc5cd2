-- The commands that give the policy $1 on our table $2 to the role $3, and mark it as ours.
SELECT format('ALTER POLICY %I ON assignment_reminders.%I TO %I', $1, $2, $3) AS command
UNION ALL
SELECT format('COMMENT ON POLICY %I ON assignment_reminders.%I IS %L', $1, $2, 'Made by assignment_reminders.enable_row_security().')
