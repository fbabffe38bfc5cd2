-- The policies of ours that are there on our tables ($1), and the roles that each is for. Theirs is the comment; one of an owner's that has
-- the name of one of ours is the owner's.
SELECT c.relname::text AS relation, p.polname::text AS name,
       ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1) AS roles
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1)
   AND obj_description(p.oid, 'pg_policy') = 'Made by assignment_reminders.enable_row_security().'
 ORDER BY c.relname COLLATE "C", p.polname COLLATE "C"
