-- Deletes up to $2 of the runs that pg_cron recorded of our jobs before $1, but never a job's last that ended, by which health
-- judges, nor what came after it. $3: the names of the jobs, $4: how their commands begin: jobs that are gone are known by them.
--
-- pg_cron 1.4 does not date runs that could not connect. Such a run is older than any later one; and as a job starts once a minute
-- at most, it is as many minutes old as there are later runs of its job.
WITH ours AS MATERIALIZED (
    SELECT d.runid, d.jobid, j.jobid IS NOT NULL AS is_scheduled, d.status IN ('succeeded', 'failed') AS has_ended,
           coalesce(d.end_time, d.start_time) AS at,
           row_number() OVER (PARTITION BY d.jobid ORDER BY d.runid DESC) - 1 AS later
      FROM cron.job_run_details d
      LEFT JOIN cron.job j ON j.jobid = d.jobid
     WHERE (j.jobid IS NOT NULL AND EXISTS (
                SELECT FROM unnest($3) AS our (name)
                 WHERE j.jobname::text = our.name
                    OR starts_with(j.jobname::text, our.name || ' in ') AND j.database = current_database()))
        OR (j.jobid IS NULL AND EXISTS (SELECT FROM unnest($4) AS our (command) WHERE starts_with(d.command, our.command))
            AND (d.database = current_database()
                 OR NOT EXISTS (SELECT FROM pg_database other WHERE other.datname = d.database)))
), kept AS (
    SELECT o.jobid, coalesce(max(o.runid) FILTER (WHERE o.has_ended), max(o.runid)) AS since
      FROM ours o WHERE o.is_scheduled GROUP BY o.jobid
), old AS MATERIALIZED (
    SELECT o.runid
      FROM ours o
      LEFT JOIN kept k ON k.jobid = o.jobid
     WHERE (k.since IS NULL OR o.runid < k.since)
       AND (o.at < $1
            OR o.at IS NULL
               AND (o.runid < (SELECT max(dated.runid) FROM ours dated WHERE dated.at < $1)
                    OR o.later > extract(epoch FROM clock_timestamp() - $1) / 60))
     ORDER BY o.runid
     LIMIT $2
), deleted AS (
    DELETE FROM cron.job_run_details d USING old WHERE d.runid = old.runid RETURNING d.runid
)
SELECT count(*) AS deleted FROM deleted
