-- What of pg_cron's tables the current role may do, without touching them. No row: pg_cron is not in this database.
SELECT has_schema_privilege(n.oid, 'USAGE') AS may_use,
       has_schema_privilege(n.oid, 'USAGE')
       AND has_table_privilege(job.oid, 'SELECT') AND has_table_privilege(details.oid, 'SELECT')
       -- Whoever has row_security off gets an error, and not fewer rows.
       AND (current_setting('row_security')::boolean
            OR NOT (row_security_active(job.oid) OR row_security_active(details.oid))) AS may_read,
       has_table_privilege(details.oid, 'DELETE') AS may_delete
  FROM pg_extension e
  JOIN pg_namespace n ON n.nspname = 'cron'
  JOIN pg_class job ON job.relnamespace = n.oid AND job.relname = 'job'
  JOIN pg_class details ON details.relnamespace = n.oid AND details.relname = 'job_run_details'
 WHERE e.extname = 'pg_cron'
