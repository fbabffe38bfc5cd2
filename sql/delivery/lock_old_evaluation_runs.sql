-- Locks up to $2 logged runs older than $1, to be deleted, as lock_old_send_logs.sql does logs, but never the last that ended, by which health judges. Index: evaluation_runs_started_at_idx.
SELECT r.id FROM assignment_reminders.evaluation_runs r
 WHERE r.started_at < $1
   AND r.started_at < (SELECT max(l.started_at) FROM assignment_reminders.evaluation_runs l WHERE l.status <> 'skipped')
 LIMIT $2
   FOR UPDATE SKIP LOCKED
