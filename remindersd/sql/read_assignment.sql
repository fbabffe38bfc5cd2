-- $1: an assignment, with its participants (no name and address of those whom the caller does not see), and the version that its ETag names: the transaction that wrote it last.
SELECT a.xmin::text AS version,
       to_jsonb(a) || jsonb_build_object(
           'student', jsonb_build_object('id', a.student_id, 'name', p.student_name, 'email', p.student_email),
           'peer_mentor', CASE WHEN a.peer_mentor_id IS NOT NULL THEN jsonb_build_object(
               'id', a.peer_mentor_id, 'user_id', p.peer_mentor_user_id, 'name', p.peer_mentor_name, 'email', p.peer_mentor_email) END,
           'coordinator', CASE WHEN a.coordinator_id IS NOT NULL THEN jsonb_build_object(
               'id', a.coordinator_id, 'name', p.coordinator_name, 'email', p.coordinator_email) END) AS row
  FROM assignment_reminders.get_assignment_with_participants($1) p
  JOIN assignment_reminders.assignments a ON a.id = p.assignment_id
