-- The roles that row security binds on users, and that have the right to write there by a grant of the owner's own.
SELECT string_agg(DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC'), ', ') AS roles
  FROM pg_class c
 CROSS JOIN LATERAL (SELECT c.relacl AS acl UNION ALL
                     SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS rights
 CROSS JOIN LATERAL aclexplode(rights.acl) AS a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE c.oid = 'assignment_reminders.users'::regclass AND c.relrowsecurity
   AND a.privilege_type IN ('INSERT', 'UPDATE') AND a.grantee <> c.relowner AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)
