-- What people are called now, by their id and, of mentors, by the mentor's. $1: ids. Indexes: primary keys.
SELECT u.id, u.name FROM assignment_reminders.users u WHERE u.id = ANY ($1)
 UNION ALL
SELECT m.id, u.name
  FROM assignment_reminders.peer_mentors m
  JOIN assignment_reminders.users u ON u.id = m.user_id AND u.organization_id = m.organization_id
 WHERE m.id = ANY ($1)
