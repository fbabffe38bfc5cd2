-- Locks up to $2 changes older than $1, to be deleted, and returns them; not those that others hold, such as whoever forgets a person. What tells that a
-- row was there before its created_at says stays as long as it is.
-- Indexes: row_history_changed_at_idx, or from the beginning of the table; row_history_pkey.
SELECT h.row_id, h.changed_at, h.number
  FROM assignment_reminders.row_history h
 WHERE h.changed_at < $1
   AND (h.operation = 'delete' OR h.operation = 'insert' OR h.operation = 'update' AND NOT h.old_values ? 'created_at'
        OR EXISTS (SELECT FROM assignment_reminders.row_history gone
                    WHERE gone.row_id = h.row_id AND gone.table_name = h.table_name AND gone.operation = 'delete'
                      AND gone.changed_at >= h.changed_at AND gone.changed_at < $1))
 LIMIT $2
   FOR UPDATE OF h SKIP LOCKED
