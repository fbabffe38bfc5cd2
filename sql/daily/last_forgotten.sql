-- How many assignments nobody will hear of: of an organization ($1) at $2; of all (NULL), as a run counted them last. Not those of which somebody decided that.
-- Index: evaluation_runs_started_at_idx, from its end.
SELECT CASE WHEN $1 IS NULL
            THEN (SELECT r.forgotten FROM assignment_reminders.evaluation_runs r WHERE r.forgotten IS NOT NULL ORDER BY r.started_at DESC LIMIT 1)
            ELSE (SELECT count(*) FROM assignment_reminders.forgotten_assignments($1, $2) AS f WHERE NOT f.is_decided) END AS forgotten
