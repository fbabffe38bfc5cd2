-- What was closed of an organization's ($1) periods, and adjusted of them since. Index: closed_statements_pkey.
SELECT coalesce(l.adjusts, p.last_day) AS last_day, l.peer_mentor_id, l.item, l.number < 0 AS is_less, l.assignment_ids
  FROM assignment_reminders.closed_periods p
  JOIN assignment_reminders.closed_statements l ON l.closed_period_id = p.id
 WHERE p.organization_id = $1 AND l.number <> 0
 ORDER BY p.number, l.line
