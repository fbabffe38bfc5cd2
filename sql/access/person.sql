-- The person of an organization ($1) whom the sign-in service knows as $2, and which peer mentor they are. Indexes:
-- users_auth_user_key, peer_mentors_user_key.
SELECT u.id, u.role, m.id AS peer_mentor_id
  FROM assignment_reminders.users u
  LEFT JOIN LATERAL (
       SELECT m.id FROM assignment_reminders.peer_mentors m
        WHERE m.organization_id = u.organization_id AND m.user_id = u.id LIMIT 1
       ) AS m ON true
 WHERE u.organization_id = $1 AND u.auth_user_id = $2
