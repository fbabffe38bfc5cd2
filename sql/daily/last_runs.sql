-- When the two runs before $1 were, the later one first. Index: evaluation_runs_started_at_idx, from its end.
SELECT r.as_of
  FROM assignment_reminders.evaluation_runs r
 WHERE r.status = 'succeeded' AND r.as_of < $1
 ORDER BY r.started_at DESC LIMIT 2
