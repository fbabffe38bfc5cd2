-- The roles with rights on our tables ($1) whom row security would have bound.
SELECT string_agg(DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC'), ', ') AS roles
  FROM pg_class c
 CROSS JOIN LATERAL aclexplode(c.relacl) AS a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND a.grantee <> c.relowner
   AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)
