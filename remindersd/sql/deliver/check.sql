-- What keeps the current role from delivering; no row where nothing does.
SELECT wrong.what
  FROM (SELECT 1, format('the extension assignment_reminders is not in the database %I: CREATE EXTENSION assignment_reminders', current_database())
         WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'assignment_reminders')
         UNION ALL
        SELECT 2, format('the role %1$I may not use the schema assignment_reminders: GRANT the role of workers, which enable_row_security() was told, TO %1$I', current_user)
          FROM pg_namespace n
         WHERE n.nspname = 'assignment_reminders' AND NOT has_schema_privilege(n.oid, 'USAGE')
         UNION ALL
        SELECT 3, format('the role %1$I may not call %2$s: GRANT the role of workers, which enable_row_security() was told, TO %1$I', current_user, wanted.name)
          FROM unnest('{claim_digests,mark_digest_sent,record_digest_failure,extend_reminder_leases,return_reminders,record_provider_message,daily_summary}'::text[])
               AS wanted (name)
         WHERE NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'assignment_reminders'
                            WHERE p.proname = wanted.name AND has_function_privilege(p.oid, 'EXECUTE'))
         UNION ALL
        -- As in examples/worker/role.sql.
        SELECT 4, format('the role %1$I has no %2$s on %3$s: GRANT the role of workers, which enable_row_security() was told, TO %1$I; or grant what examples/worker/role.sql grants',
                         current_user, wanted.privilege, c.relname)
          FROM (VALUES ('{organizations,reminder_settings,users,user_preferences,peer_mentors,assignments,reminders,claim_rates,send_logs}'::text[], 'SELECT'),
                       ('{reminders,claim_rates}', 'UPDATE'), ('{claim_rates,send_logs}', 'INSERT')) AS wanted (relations, privilege)
          JOIN pg_class c ON c.relname = ANY (wanted.relations) AND c.relnamespace = to_regnamespace('assignment_reminders')
         WHERE NOT has_table_privilege(c.oid, wanted.privilege)
         UNION ALL
        SELECT 5, format('the role %I has default_transaction_isolation = %s: claims need read committed. ALTER ROLE ... RESET default_transaction_isolation',
                         current_user, current_setting('transaction_isolation'))
         WHERE current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted')
         UNION ALL
        SELECT 5, format('the role %I has row_security = off: it could not read what policies hide. ALTER ROLE ... RESET row_security', current_user)
         WHERE current_setting('row_security') = 'off'
         UNION ALL
        SELECT 5, format('what the role %I does is read-only (a standby, or default_transaction_read_only): nothing can be claimed', current_user)
         WHERE current_setting('transaction_read_only') = 'on'
       ) AS wrong (priority, what)
 ORDER BY wrong.priority, wrong.what
 LIMIT 1
