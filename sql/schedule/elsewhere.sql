-- The statement that schedules a job of this database where pg_cron is. $1: name, $2: schedule, $3: command. pg_cron 1.4 cuts
-- names off at 63 bytes, and would take two databases' jobs for one: where it would, the database's OID stands for its name.
SELECT format('SELECT cron.schedule_in_database(%L, %L, %L, %L)',
              CASE WHEN octet_length(named.job) <= 63 THEN named.job ELSE $1 || ' in ' || d.oid END,
              $2, $3, d.datname) AS command
  FROM pg_database d
 CROSS JOIN LATERAL (SELECT $1 || ' in ' || d.datname AS job) AS named
 WHERE d.datname = current_database()
