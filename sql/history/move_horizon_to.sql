-- What was before $1 is not known any more, where it was. Index: history_horizon_pkey.
WITH moved AS (
    INSERT INTO assignment_reminders.history_horizon (known_since, cause)
    SELECT $1, 'pruned' WHERE $1 > (SELECT max(h.known_since) FROM assignment_reminders.history_horizon h)
        ON CONFLICT DO NOTHING
    RETURNING known_since
)
DELETE FROM assignment_reminders.history_horizon h USING moved WHERE h.known_since < moved.known_since
