-- A page of the peer mentors that the caller sees, by id, with their counts. $1: limit, $2: the last id of the page before,
-- $3: one of them. Index: peer_mentors_pkey.
SELECT jsonb_build_object('id', m.id, 'user_id', m.user_id, 'name', u.name, 'email', u.email, 'assignment_count', m.assignment_count) AS row
  FROM assignment_reminders.peer_mentors m
  LEFT JOIN assignment_reminders.users u ON u.id = m.user_id AND u.organization_id = m.organization_id
 WHERE ($2::uuid IS NULL OR m.id > $2)
   AND ($3::uuid IS NULL OR m.id = $3)
 ORDER BY m.id
 LIMIT $1
