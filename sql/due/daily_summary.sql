-- A student's ($1) assignments at $2: open ones not yet due, overdue ones, and those completed within the day.
-- Index: users_pkey, assignments_student_due_at_idx.
SELECT coalesce(jsonb_agg(item.item ORDER BY a.due_at, a.title, a.id) FILTER (WHERE a.status = 'open' AND coalesce(a.due_at > $2, true)), '[]') AS current,
       coalesce(jsonb_agg(item.item ORDER BY a.due_at, a.title, a.id) FILTER (WHERE a.status = 'open' AND a.due_at <= $2), '[]') AS overdue,
       coalesce(jsonb_agg(item.item ORDER BY a.completed_at, a.title, a.id) FILTER (WHERE a.completed), '[]') AS completed
  FROM assignment_reminders.users u
 CROSS JOIN LATERAL (SELECT coalesce(u.timezone, 'UTC') AS timezone) AS local
  LEFT JOIN assignment_reminders.assignments a
    ON a.student_id = u.id AND a.organization_id = u.organization_id
   AND (a.status = 'open'
        OR (a.completed_at > assignment_reminders.day_before($2, local.timezone) AND a.completed_at <= $2))
 CROSS JOIN LATERAL (
       SELECT jsonb_build_object('assignment_id', a.id, 'title', a.title, 'due_at', a.due_at,
                                 'due_at_local', a.due_at AT TIME ZONE local.timezone) AS item
       ) AS item
 WHERE u.id = $1
 GROUP BY u.id
