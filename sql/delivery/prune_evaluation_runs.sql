-- Deletes up to $2 logged runs older than $1, but never the last that ended, by which health judges. Returns how many.
-- Index: evaluation_runs_started_at_idx.
WITH old AS MATERIALIZED (
    SELECT r.id FROM assignment_reminders.evaluation_runs r
     WHERE r.started_at < $1
       AND r.started_at < (SELECT max(l.started_at) FROM assignment_reminders.evaluation_runs l WHERE l.status <> 'skipped')
     LIMIT $2
), deleted AS (
    DELETE FROM assignment_reminders.evaluation_runs r USING old WHERE r.id = old.id RETURNING r.id
)
SELECT count(*) AS deleted FROM deleted
