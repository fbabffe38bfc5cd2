-- Why an assignment ($1) that the caller sees is or is not followed up, at a moment ($2, NULL: now). Index: assignments_pkey, and the function's.
SELECT to_jsonb(e) AS row
  FROM assignment_reminders.assignments a
 CROSS JOIN LATERAL assignment_reminders.explain_assignment(a.id, coalesce($2, now())) AS e
 WHERE a.id = $1
