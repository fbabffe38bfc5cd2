-- The moment before the first period that is yet to be closed, of the organizations that close them. Index: closed_periods_organization_number_key.
SELECT min(last.ended_at) - interval '1 microsecond' AS needed_since
  FROM assignment_reminders.organizations o
 CROSS JOIN LATERAL (
       SELECT p.ended_at FROM assignment_reminders.closed_periods p WHERE p.organization_id = o.id ORDER BY p.number DESC LIMIT 1
       ) AS last
