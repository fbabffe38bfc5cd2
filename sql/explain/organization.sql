-- Whose an assignment ($1) is, or was before it was deleted, with the time zone. Indexes: assignments_pkey, row_history_pkey, organizations_pkey.
SELECT found.organization_id, coalesce(o.timezone, 'UTC') AS timezone
  FROM (SELECT a.organization_id, 0 AS rank FROM assignment_reminders.assignments a WHERE a.id = $1
         UNION ALL
        (SELECT h.organization_id, 1 FROM assignment_reminders.row_history h
          WHERE h.row_id = $1 AND h.table_name = 'assignments' AND h.operation = 'delete'
          ORDER BY h.changed_at DESC, h.number DESC LIMIT 1)
         ORDER BY rank LIMIT 1) AS found
  LEFT JOIN assignment_reminders.organizations o ON o.id = found.organization_id
