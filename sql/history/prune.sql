-- Deletes locked changes ($1, $2, $3: lock_old.sql, one by one), and returns how many. Index: row_history_pkey.
WITH deleted AS (
    DELETE FROM assignment_reminders.row_history h
     USING unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) AS old (row_id, changed_at, number)
     WHERE h.row_id = old.row_id AND h.changed_at = old.changed_at AND h.number = old.number
    RETURNING h.number
)
SELECT count(*) AS deleted FROM deleted
