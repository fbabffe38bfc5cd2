-- Those of our tables ($1) that row security is on for.
SELECT c.relname::text AS name FROM pg_class c
 WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND c.relrowsecurity
 ORDER BY c.relname COLLATE "C"
