-- Those of our tables ($1) that row security stays on, and the roles with rights there that it binds.
SELECT string_agg(DISTINCT c.relname::text, ', ') AS tables,
       coalesce(string_agg(DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC'), ', ') FILTER (WHERE a.grantee IS NOT NULL), 'nobody') AS roles
  FROM pg_class c
  LEFT JOIN LATERAL aclexplode(c.relacl) AS a ON a.grantee <> c.relowner
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND c.relrowsecurity
   AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)
