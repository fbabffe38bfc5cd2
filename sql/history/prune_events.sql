-- Deletes up to $2 events older than $1, and returns how many. What the history goes on with stays: of each reminder that is there, or that something came of
-- later, its last episode at that moment; and of each organization its last hold. Indexes: reminder_events_pkey, reminder_events_assignment_idx,
-- reminder_events_held_idx, reminders_pkey.
WITH old AS MATERIALIZED (
    SELECT e.happened_at, e.number
      FROM assignment_reminders.reminder_events e
     WHERE e.happened_at < $1
       AND CASE WHEN e.reminder_id IS NULL
                THEN EXISTS (SELECT FROM assignment_reminders.reminder_events later
                              WHERE later.organization_id = e.organization_id AND later.reminder_id IS NULL
                                AND (later.happened_at, later.number) > (e.happened_at, e.number) AND later.happened_at < $1)
                -- Nobody asks what was of summaries and notices.
                WHEN e.assignment_id IS NULL THEN true
                ELSE EXISTS (SELECT FROM assignment_reminders.reminder_events later
                              WHERE later.assignment_id = e.assignment_id AND later.reminder_id = e.reminder_id AND later.event IN ('enqueued', 're-armed')
                                AND (later.happened_at, later.number) > (e.happened_at, e.number) AND later.happened_at < $1)
                     OR NOT EXISTS (SELECT FROM assignment_reminders.reminders r WHERE r.id = e.reminder_id)
                        AND NOT EXISTS (SELECT FROM assignment_reminders.reminder_events later
                                         WHERE later.assignment_id = e.assignment_id AND later.reminder_id = e.reminder_id AND later.happened_at >= $1)
                END
     ORDER BY e.happened_at
     LIMIT $2
), deleted AS (
    DELETE FROM assignment_reminders.reminder_events e USING old
     WHERE e.happened_at = old.happened_at AND e.number = old.number
    RETURNING e.number
)
SELECT count(*) AS deleted FROM deleted
