-- One assignment and the people around it. $1: assignment. Index: primary keys.
SELECT a.id, a.organization_id, a.title, a.status, a.due_at, a.assigned_on, a.last_contact_date,
       student.id, student.name, student.email,
       a.peer_mentor_id, mentor.id, mentor.name, mentor.email,
       coordinator.id, coordinator.name, coordinator.email
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.users student ON student.id = a.student_id AND student.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.users coordinator ON coordinator.id = a.coordinator_id AND coordinator.organization_id = a.organization_id
 WHERE a.id = $1
