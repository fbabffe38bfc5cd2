-- The roles with rights on our tables ($1) that row security does not hold back: whoever may TRUNCATE deletes every row, a trigger
-- runs as the tables' owner, and a foreign key of one's own tells what is there.
SELECT string_agg(DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC'), ', ') AS roles
  FROM pg_class c
 CROSS JOIN LATERAL aclexplode(c.relacl) AS a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1)
   AND a.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES') AND a.grantee <> c.relowner
