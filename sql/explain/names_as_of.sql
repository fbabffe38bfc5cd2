-- What people ($3) of an organization ($2) were called at a moment ($1). Indexes: those of rows_as_of.
SELECT p.id, p.name
  FROM unnest($3::uuid[]) AS asked (id)
 CROSS JOIN LATERAL assignment_reminders.person_as_of($1, $2, asked.id) AS p
