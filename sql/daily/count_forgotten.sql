-- How many assignments nobody will hear of at $1, but for those of which somebody decided that. NULL, and not looked for, where a run has found that there are
-- none, less than 20 hours before. Index: evaluation_runs_started_at_idx, from its end.
SELECT CASE WHEN (SELECT last.forgotten = 0 AND last.as_of BETWEEN $1 - interval '20 hours' AND $1
                    FROM (SELECT r.forgotten, r.as_of FROM assignment_reminders.evaluation_runs r
                           WHERE r.forgotten IS NOT NULL ORDER BY r.started_at DESC LIMIT 1) AS last) IS NOT TRUE
            THEN (SELECT count(*)::integer FROM assignment_reminders.forgotten_assignments(as_of => $1) AS f WHERE NOT f.is_decided) END AS forgotten
