-- Removes the current role's jobs of this database, and returns each. $1: their names. As its home database has it, a job's name is
-- that; as other databases are told to schedule it, ` in <database>` follows.
SELECT cron.unschedule(j.jobid) AS was_there
  FROM unnest($1) AS ours (name)
  JOIN cron.job j
    ON j.jobname::text = ours.name
    OR starts_with(j.jobname::text, ours.name || ' in ') AND j.database = current_database()
 WHERE j.username = current_user
