-- What pg_cron's clock shows, as if that were UTC. $1: as_of, $2: its time zone, $3: max_age.
-- Index: evaluation_runs_started_at_idx, from its end.
SELECT ($1 AT TIME ZONE $2) AT TIME ZONE 'UTC' AS now,
       $1 - $3 AS recently,
       current_database()::text AS database,
       (SELECT (r.started_at AT TIME ZONE $2) AT TIME ZONE 'UTC'
          FROM assignment_reminders.evaluation_runs r
         WHERE r.status = 'succeeded' ORDER BY r.started_at DESC LIMIT 1) AS last_success,
       (coalesce((SELECT r.started_at FROM assignment_reminders.evaluation_runs r
                   WHERE r.status IN ('succeeded', 'failed') ORDER BY r.started_at DESC LIMIT 1),
                 (SELECT min(m.applied_at) FROM assignment_reminders.migrations m)) AT TIME ZONE $2) AT TIME ZONE 'UTC' AS without_run_since
