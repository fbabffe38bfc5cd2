-- The policies of ours that are there on our tables ($1), and the roles that each is for. Theirs is the comment; where that
-- was lost, the name ($2) and that they ask functions of ours, or nothing. Another one of an owner's with such a name is the owner's.
SELECT c.relname::text AS relation, p.polname::text AS name,
       ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1) AS roles
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1)
   AND (obj_description(p.oid, 'pg_policy') = 'Made by assignment_reminders.enable_row_security().'
        OR (c.relname || ' ' || p.polname) = ANY ($2)
           AND (p.polname = 'worker_all' AND pg_get_expr(p.polqual, p.polrelid) = 'true'
                OR EXISTS (SELECT FROM pg_depend d
                             JOIN pg_depend member ON member.classid = 'pg_proc'::regclass AND member.objid = d.refobjid AND member.deptype = 'e'
                             JOIN pg_extension e ON e.oid = member.refobjid AND e.extname = 'assignment_reminders'
                            WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass)))
 ORDER BY c.relname COLLATE "C", p.polname COLLATE "C"
