-- Policies on our tables ($1) that call functions of the extension: while they are there, it cannot be dropped without CASCADE.
SELECT DISTINCT format('policy %I on assignment_reminders.%I', p.polname, c.relname) AS policy
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_depend member ON member.classid = 'pg_proc'::regclass AND member.objid = d.refobjid AND member.deptype = 'e'
  JOIN pg_extension e ON e.oid = member.refobjid AND e.extname = 'assignment_reminders'
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1)
 ORDER BY 1
