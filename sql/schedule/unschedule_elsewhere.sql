-- The statement that removes jobs of this database where pg_cron is. $1: their names.
SELECT format('SELECT cron.unschedule(j.jobid) FROM cron.job j WHERE j.database = %L AND j.username = current_user AND (%s)',
              current_database(),
              string_agg(format('starts_with(j.jobname::text, %L)', ours.name || ' in '), ' OR ')) AS command
  FROM unnest($1) AS ours (name)
