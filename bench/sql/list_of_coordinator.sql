-- What a coordinator's list asks for: the 50 open assignments that have been silent longest, with the people.
SELECT a.id, a.title, a.due_at, a.last_contact_date, s.name, u.name, m.assignment_count
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.users s ON s.organization_id = a.organization_id AND s.id = a.student_id
  LEFT JOIN assignment_reminders.peer_mentors m ON m.organization_id = a.organization_id AND m.id = a.peer_mentor_id
  LEFT JOIN assignment_reminders.users u ON u.organization_id = m.organization_id AND u.id = m.user_id
 WHERE a.organization_id = bench.id(1, 1) AND a.status = 'open'
 ORDER BY coalesce(a.last_contact_date, a.assigned_on), a.id
 LIMIT 50
