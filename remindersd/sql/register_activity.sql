-- $1: an assignment, $2: the contact or attempt, $3: its id, or NULL for a new one. It is recorded by whoever asks. No row where the id is there already.
INSERT INTO assignment_reminders.activities AS t (id, organization_id, assignment_id, occurred_at, registration, recorded_by, notes, metadata, is_contact)
SELECT coalesce($3, gen_random_uuid()), a.organization_id, a.id, coalesce(n.occurred_at, now()), coalesce(n.registration, 'direct'),
       assignment_reminders.current_user_id(), n.notes, n.metadata, coalesce(n.is_contact, true)
  FROM assignment_reminders.get_assignment_with_participants($1) AS seen
  JOIN assignment_reminders.assignments a ON a.id = seen.assignment_id
 CROSS JOIN jsonb_populate_record(NULL::assignment_reminders.activities, $2::text::jsonb) AS n
    ON CONFLICT (id) DO NOTHING
RETURNING to_jsonb(t) AS row
