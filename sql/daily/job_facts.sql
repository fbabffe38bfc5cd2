-- Our pg_cron jobs that the current role may see, with their last runs. $1: their names, in the order of their kinds, $2: the time
-- zone of pg_cron. Moments are what its clock shows, as if that were UTC.
--
-- A job of another database is not ours, unless that is gone. pg_cron 1.4 does not date runs that could not connect.
-- Index: job_run_details_pkey, from its end, as far as the last run of each job.
SELECT ours.kind::integer, j.jobid AS id, j.jobname::text AS name, j.username AS role, j.schedule, j.database, j.active AS is_active,
       newest.runid IS NOT NULL AS has_run,
       coalesce(newest.status NOT IN ('succeeded', 'failed'), false) AS is_running,
       (newest.start_time AT TIME ZONE $2) AT TIME ZONE 'UTC' AS last_start,
       ended.status = 'failed' AS has_failed,
       coalesce(ended.return_message, '') AS message,
       (coalesce(ended.end_time, ended.start_time) AT TIME ZONE $2) AT TIME ZONE 'UTC' AS ended_at,
       (known.since AT TIME ZONE $2) AT TIME ZONE 'UTC' AS known_since
  FROM unnest($1) WITH ORDINALITY AS ours (name, kind)
  JOIN cron.job j
    ON j.jobname::text = ours.name
    OR starts_with(j.jobname::text, ours.name || ' in ')
       AND (j.database = current_database() OR NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = j.database))
  LEFT JOIN LATERAL (
       SELECT d.runid, d.status, d.start_time FROM cron.job_run_details d WHERE d.jobid = j.jobid ORDER BY d.runid DESC LIMIT 1
       ) AS newest ON true
  LEFT JOIN LATERAL (
       SELECT d.status, d.return_message, d.start_time, d.end_time
         FROM cron.job_run_details d
        WHERE d.jobid = j.jobid AND d.status IN ('succeeded', 'failed')
        ORDER BY d.runid DESC LIMIT 1
       ) AS ended ON true
 CROSS JOIN LATERAL (
       -- Only a job that never ran needs it. Ids are given in turn: a job is older than any run of one that was made after it.
       SELECT CASE WHEN newest.runid IS NULL THEN
                   least(CASE WHEN current_setting('track_commit_timestamp')::boolean THEN pg_xact_commit_timestamp(j.xmin) END,
                         (SELECT min(d.start_time) FROM cron.job_run_details d WHERE d.jobid > j.jobid)) END AS since
       ) AS known
 ORDER BY ours.kind, j.jobid
