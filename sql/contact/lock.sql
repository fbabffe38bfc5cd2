-- Locks the given assignments in id order. $1: assignment ids. Index: assignments_pkey.
SELECT a.id
  FROM assignment_reminders.assignments a
 WHERE a.id = ANY ($1)
 ORDER BY a.id
   FOR NO KEY UPDATE OF a
