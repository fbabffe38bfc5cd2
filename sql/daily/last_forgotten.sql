-- How many assignments nobody will hear of, of an organization ($1) or of all (NULL), at $2; not those of which somebody decided that. Of all it is counted where
-- the last run that counted found any. Index: evaluation_runs_started_at_idx, from its end.
SELECT CASE WHEN $1 IS NOT NULL
              OR (SELECT r.forgotten > 0 FROM assignment_reminders.evaluation_runs r WHERE r.forgotten IS NOT NULL ORDER BY r.started_at DESC LIMIT 1)
            THEN (SELECT count(*) FROM assignment_reminders.forgotten_assignments($1, $2) AS f WHERE NOT f.is_decided) END AS forgotten
