-- Inputs of evaluation_health and organization_health. $1: as_of, $2: max_age, $3 and $4: the key of the advisory lock of runs, $5: the one
-- organization whose settings are looked for (NULL: all).
-- Index: evaluation_runs_started_at_idx, from its end. A holder of the lock whose start this role may not see has a
-- NULL running_for.
SELECT last_run.status, last_run.error, last_run.sqlstate, last_run.started_at,
       last_run.finished_at - last_run.started_at > interval '30 minutes' AS took_too_long,
       coalesce(last_run.started_at, installed.at) < $1 - $2 AS is_overdue,
       running.pid, running.since, running.since < clock_timestamp() - interval '30 minutes' AS is_stuck,
       (SELECT count(*)::integer FROM assignment_reminders.organizations o
         WHERE ($5::uuid IS NULL OR o.id = $5)
           AND NOT EXISTS (SELECT FROM assignment_reminders.reminder_settings s WHERE s.organization_id = o.id)) AS without_settings
  FROM (SELECT min(m.applied_at) AS at FROM assignment_reminders.migrations m) AS installed
  LEFT JOIN LATERAL (
       SELECT r.* FROM assignment_reminders.evaluation_runs r
        WHERE r.status IN ('succeeded', 'failed') ORDER BY r.started_at DESC LIMIT 1
       ) AS last_run ON true
  LEFT JOIN LATERAL (
       SELECT l.pid, a.xact_start AS since
         FROM pg_locks l
         LEFT JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.classid = $3::bigint::oid AND l.objid = $4::bigint::oid
        LIMIT 1
       ) AS running ON true
