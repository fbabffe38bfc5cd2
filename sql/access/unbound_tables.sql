-- Those of our tables ($1) without row security and without any policy: those that are new where the others have it.
SELECT c.relname::text AS name
  FROM pg_class c
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1)
   AND NOT c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
 ORDER BY c.relname COLLATE "C"
