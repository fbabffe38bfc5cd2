-- Whom a job will run as, and whether that role may read how pg_hba.conf treats it.
SELECT r.rolname::text AS role, r.rolcanlogin AS can_log_in,
       has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS may_read_rules
  FROM pg_roles r
 WHERE r.rolname = current_user
