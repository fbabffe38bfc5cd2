-- What a mentor's start page asks for: 50 of their open assignments, with their students.
SELECT a.id, a.title, a.due_at, a.last_contact_date, s.name, s.email
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.users s ON s.organization_id = a.organization_id AND s.id = a.student_id
 WHERE a.peer_mentor_id = bench.id(5, 1) AND a.status = 'open'
 ORDER BY a.due_at, a.id
 LIMIT 50
