-- The policies of ours ($1: their names) that are there on our tables ($2), and the roles that each is for.
SELECT c.relname::text AS relation, p.polname::text AS name,
       ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1) AS roles
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($2) AND p.polname = ANY ($1)
 ORDER BY c.relname COLLATE "C", p.polname COLLATE "C"
