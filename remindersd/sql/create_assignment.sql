-- $1: the id, or NULL for a new one; $2: the assignment. No row where the id is there already.
INSERT INTO assignment_reminders.assignments AS a
       (id, title, description, student_id, peer_mentor_id, coordinator_id, due_at, status, assigned_on, metadata)
SELECT coalesce($1, gen_random_uuid()), n.title, n.description, n.student_id, n.peer_mentor_id, n.coordinator_id, n.due_at,
       coalesce(n.status, 'open'), n.assigned_on, n.metadata
  FROM jsonb_populate_record(NULL::assignment_reminders.assignments, $2::text::jsonb) AS n
    ON CONFLICT (id) DO NOTHING
RETURNING a.xmin::text AS version, to_jsonb(a) AS row
