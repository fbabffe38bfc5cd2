-- The kinds of our jobs that pg_cron ran for this database since $1, by a job that is gone. $2: how their commands begin, in the
-- order of their kinds.
SELECT ours.kind::integer
  FROM unnest($2) WITH ORDINALITY AS ours (command, kind)
 WHERE EXISTS (
       SELECT FROM cron.job_run_details d
        WHERE d.start_time >= $1 AND d.database = current_database() AND starts_with(d.command, ours.command)
          AND NOT EXISTS (SELECT FROM cron.job j WHERE j.jobid = d.jobid))
