-- The rights on our tables ($1), and on their columns, that others than the owner have by grants: whose, which, and whether row security
-- binds whoever has them.
SELECT DISTINCT c.relname::text AS relation, coalesce(quote_ident(r.rolname), 'PUBLIC') AS role, a.privilege_type AS privilege,
       NOT coalesce(r.rolsuper OR r.rolbypassrls, false) AS is_bound
  FROM pg_class c
 CROSS JOIN LATERAL (SELECT c.relacl AS acl UNION ALL
                     SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS rights
 CROSS JOIN LATERAL aclexplode(rights.acl) AS a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND a.grantee <> c.relowner
