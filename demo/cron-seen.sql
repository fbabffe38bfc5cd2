\pset border 1
\pset footer off
SET search_path = assignment_reminders;
\timing on
\set ECHO queries
SELECT j.jobname, d.status, d.return_message, d.end_time - d.start_time AS took
  FROM cron.job_run_details d JOIN cron.job j USING (jobid) ORDER BY d.start_time;
SELECT a.title, r.reminder_type, r.status, r.created_at
  FROM reminders r JOIN assignments a ON a.id = r.assignment_id WHERE a.title LIKE 'Silent since%';
SELECT unschedule_daily_evaluation() + unschedule_delivery_jobs() AS jobs_removed;
