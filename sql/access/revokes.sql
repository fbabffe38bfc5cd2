-- The commands that take from these roles ($1) what they were granted on these tables ($2), and the functions that only those may call
-- whom they are granted to.
SELECT format('REVOKE ALL ON assignment_reminders.%I FROM %I', t.name, r.name) AS command
  FROM unnest($1::text[]) AS r (name)
 CROSS JOIN unnest($2::text[]) AS t (name)
UNION ALL
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM %I', p.oid::regprocedure, r.name)
  FROM unnest($1::text[]) AS r (name)
  JOIN pg_roles role ON role.rolname = r.name
  JOIN pg_proc p ON p.pronamespace = 'assignment_reminders'::regnamespace
  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'assignment_reminders'
 WHERE EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = role.oid)
UNION ALL
SELECT format('REVOKE USAGE ON SCHEMA assignment_reminders FROM %I', r.name)
  FROM unnest($1::text[]) AS r (name)
