-- Whether a run at $1 goes over a time that a later one has been through; one that lies ahead of any clock was a simulation.
-- Index: evaluation_runs_started_at_idx, from its end.
SELECT coalesce((SELECT r.as_of FROM assignment_reminders.evaluation_runs r
                  WHERE r.status = 'succeeded' AND r.as_of <> $1 AND r.as_of <= greatest(now(), $1)
                  ORDER BY r.started_at DESC LIMIT 1) > $1, false) AS is_replay
