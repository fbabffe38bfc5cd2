-- Locks, in id order, the assignments that inserted activities belong to. Everybody who touches the contact dates of
-- several assignments locks them in this order first, so batches cannot deadlock; and the statement after it sees what
-- others committed meanwhile. Index: assignments_pkey, once per assignment.
SELECT a.id
  FROM (SELECT DISTINCT n.assignment_id FROM new_rows n) AS touched
  JOIN assignment_reminders.assignments a ON a.id = touched.assignment_id
 ORDER BY a.id
   FOR NO KEY UPDATE OF a
