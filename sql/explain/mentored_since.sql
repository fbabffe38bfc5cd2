-- Since when an assignment ($1) has the mentor whom it had at a moment ($2, NULL: now): when it was handed over to them (or, deleted, came back with its id) or, where the history does not have
-- that, the beginning of the day on which it was, in the time zone $3. Indexes: row_history_pkey, assignments_pkey.
SELECT coalesce(
           (SELECT h.changed_at FROM assignment_reminders.row_history h
             WHERE h.row_id = $1 AND h.table_name = 'assignments' AND h.old_values ? 'peer_mentor_id'
               AND (h.changed_at <= $2 OR $2 IS NULL)
             ORDER BY h.changed_at DESC, h.number DESC LIMIT 1),
           (SELECT a.mentor_since::timestamp AT TIME ZONE $3 FROM assignment_reminders.assignments a WHERE a.id = $1)) AS since
