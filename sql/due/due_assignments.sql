-- One page of open assignments due within $3 minutes of $4 plus each target ($1, in units of $2 minutes named by $5), whose
-- students can be written to. $6 to $8: target, due_at and id of the last row of the page before; $9: page size; $10: the
-- only organisation, or NULL. Index: assignments_open_due_at_idx, from the key on, once per target.
SELECT target.target, target.target || $5 AS reminder_type, a.organization_id, a.id, a.title, a.due_at,
       a.due_at AT TIME ZONE a.timezone AS due_at_local, a.timezone, a.student_id, a.email, a.name
  FROM (SELECT DISTINCT unnest($1::integer[]) AS target) AS target
 CROSS JOIN LATERAL (SELECT interval '1 minute' * (target.target::bigint * $2) AS ahead) AS distance
 CROSS JOIN LATERAL (
       SELECT a.organization_id, a.id, a.title, a.due_at, a.student_id, u.email, u.name, coalesce(u.timezone, 'UTC') AS timezone
         FROM assignment_reminders.assignments a
         JOIN assignment_reminders.users u ON u.id = a.student_id AND u.organization_id = a.organization_id
        WHERE a.status = 'open'
          AND a.due_at BETWEEN $4 + distance.ahead - interval '1 minute' * $3 AND $4 + distance.ahead + interval '1 minute' * $3
          AND (a.due_at, a.id) > (CASE WHEN target.target = $6 THEN coalesce($7, '-infinity') ELSE '-infinity' END,
                                  CASE WHEN target.target = $6 THEN coalesce($8, '00000000-0000-0000-0000-000000000000')
                                       ELSE '00000000-0000-0000-0000-000000000000' END)
          AND NOT u.contact_opt_out AND u.email IS NOT NULL
          AND ($10::uuid IS NULL OR a.organization_id = $10)
        ORDER BY a.due_at, a.id
        LIMIT $9
       ) AS a
 WHERE $6::integer IS NULL OR target.target >= $6
 ORDER BY target.target, a.due_at, a.id
 LIMIT $9
