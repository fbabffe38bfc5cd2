-- The commands that switch row security off on those of these tables ($1), on which nobody whom it binds has a right by a grant, that
-- nobody has a policy on either.
SELECT format('ALTER TABLE assignment_reminders.%I DISABLE ROW LEVEL SECURITY', c.relname) AS command
  FROM pg_class c
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND c.relrowsecurity
   AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
   -- Rights without a grant.
   AND NOT EXISTS (SELECT FROM pg_roles r
                    WHERE NOT r.rolsuper AND NOT r.rolbypassrls AND r.oid <> c.relowner AND NOT starts_with(r.rolname, 'pg_')
                      AND (pg_has_role(r.oid, 'pg_read_all_data', 'USAGE') OR pg_has_role(r.oid, 'pg_write_all_data', 'USAGE')))
