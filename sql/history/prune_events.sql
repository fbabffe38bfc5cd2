-- Deletes up to $2 events older than $1, and returns how many. Index: reminder_events_pkey.
WITH old AS MATERIALIZED (
    SELECT e.happened_at, e.number FROM assignment_reminders.reminder_events e WHERE e.happened_at < $1 ORDER BY e.happened_at LIMIT $2
), deleted AS (
    DELETE FROM assignment_reminders.reminder_events e USING old
     WHERE e.happened_at = old.happened_at AND e.number = old.number
    RETURNING e.number
)
SELECT count(*) AS deleted FROM deleted
