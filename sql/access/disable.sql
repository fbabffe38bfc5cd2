-- The commands that switch row security off on those of our tables ($1) that nobody has a policy on, and nobody whom it binds a right.
SELECT format('ALTER TABLE assignment_reminders.%I DISABLE ROW LEVEL SECURITY', c.relname) AS command
  FROM pg_class c
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND c.relrowsecurity
   AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
   AND NOT EXISTS (
       SELECT FROM (SELECT c.relacl AS acl UNION ALL
                    SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS rights
        CROSS JOIN LATERAL aclexplode(rights.acl) AS a
         LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE a.grantee <> c.relowner AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false))
   -- Rights without a grant.
   AND NOT EXISTS (SELECT FROM pg_roles r
                    WHERE NOT r.rolsuper AND NOT r.rolbypassrls AND r.oid <> c.relowner AND NOT starts_with(r.rolname, 'pg_')
                      AND (pg_has_role(r.oid, 'pg_read_all_data', 'USAGE') OR pg_has_role(r.oid, 'pg_write_all_data', 'USAGE')))
