-- What was changed of an organization's ($1) assignments since a moment ($2), each one's changes in order; of those that say that they were
-- created since, also what was changed before: they may have been there. Indexes: row_history_organization_idx, row_history_pkey.
WITH recent AS MATERIALIZED (
    SELECT h.row_id, h.changed_at, h.number, h.operation, h.old_values
      FROM assignment_reminders.row_history h
     WHERE h.table_name = 'assignments' AND h.organization_id = $1 AND h.changed_at >= $2
), created_since AS (
    SELECT a.id FROM assignment_reminders.assignments a WHERE a.organization_id = $1 AND a.created_at >= $2
     UNION
    SELECT r.row_id FROM recent r WHERE (r.old_values ->> 'created_at')::timestamptz >= $2
), change AS (
    SELECT r.row_id, r.changed_at, r.number, r.operation, r.old_values FROM recent r
     UNION ALL
    SELECT h.row_id, h.changed_at, h.number, h.operation, h.old_values
      FROM created_since c
      JOIN assignment_reminders.row_history h ON h.row_id = c.id AND h.changed_at < $2
     WHERE h.table_name = 'assignments' AND h.organization_id = $1
)
SELECT c.row_id, c.changed_at, c.operation,
       coalesce(c.old_values ? 'peer_mentor_id', false) AS had_another_mentor, (c.old_values ->> 'peer_mentor_id')::uuid AS peer_mentor_id,
       c.old_values ->> 'status' AS status, (c.old_values ->> 'created_at')::timestamptz AS created_at
  FROM change c
 ORDER BY c.row_id, c.changed_at, c.number
