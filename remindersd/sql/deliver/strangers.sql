-- Which of these organizations ($1) there are none of, as far as the role sees them.
SELECT named.id FROM unnest($1::uuid[]) AS named (id)
 WHERE NOT EXISTS (SELECT FROM assignment_reminders.organizations o WHERE o.id = named.id)
 ORDER BY named.id
