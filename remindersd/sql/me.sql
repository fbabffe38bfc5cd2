-- Whoever asks, as the database knows them. No row for somebody without a row in users.
SELECT jsonb_build_object('user_id', u.id, 'name', u.name, 'role', u.role, 'organization', o.name,
                          'peer_mentor_id', assignment_reminders.current_peer_mentor_id()) AS row
  FROM assignment_reminders.users u
  JOIN assignment_reminders.organizations o ON o.id = u.organization_id
 WHERE u.id = (SELECT assignment_reminders.current_user_id())
