-- What is due at $1 to people ($2), of what names them or somebody whom it was enqueued for before it became theirs ($3, pairwise), and of what goes to them as
-- students. Only what goes to them now, as judge.sql finds it: what is locked for one person's message would be missing in another's.
-- OFFSET 0: the look-up by person comes first, not one of all that is pending.
-- Indexes: reminders_recipient_idx; assignments_student_due_at_idx and reminders_assignment_type_key for what goes to students; primary keys.
SELECT of.user_id, due.id AS reminder_id
  FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS of (user_id, named_id, place)
 CROSS JOIN LATERAL (
       SELECT named.id
         FROM (SELECT * FROM assignment_reminders.reminders r WHERE r.recipient_id = of.named_id OFFSET 0) AS named
        CROSS JOIN LATERAL assignment_reminders.reminder_kind(named.reminder_type) AS kind
        WHERE named.status = 'pending' AND greatest(named.scheduled_for, named.retry_at) <= $1
          AND (named.claimed_until IS NULL OR named.claimed_until <= $1)
          AND of.user_id = CASE WHEN kind.follows <> 'silence' THEN named.recipient_id
                                ELSE (SELECT CASE kind.addressee
                                             WHEN 'mentor' THEN (
                                                  SELECT m.user_id FROM assignment_reminders.peer_mentors m
                                                   WHERE m.id = a.peer_mentor_id AND m.organization_id = a.organization_id LIMIT 1)
                                             ELSE assignment_reminders.coordinator_to_tell(
                                                  a.organization_id, a.coordinator_id,
                                                  (SELECT s.fallback_coordinator_id FROM assignment_reminders.reminder_settings s
                                                    WHERE s.organization_id = a.organization_id LIMIT 1),
                                                  named.reminder_type) END
                                        FROM assignment_reminders.assignments a
                                       WHERE a.id = named.assignment_id AND a.organization_id = named.organization_id LIMIT 1) END
       UNION ALL
       SELECT students.id
         FROM (SELECT r.*
                 FROM assignment_reminders.assignments a
                CROSS JOIN LATERAL (
                      SELECT * FROM assignment_reminders.reminders r WHERE r.assignment_id = a.id OFFSET 0
                      ) AS r
                WHERE a.student_id = of.user_id AND of.user_id = of.named_id
               OFFSET 0) AS students
        WHERE students.recipient_id IS NULL AND students.status = 'pending' AND greatest(students.scheduled_for, students.retry_at) <= $1
          AND (students.claimed_until IS NULL OR students.claimed_until <= $1)
        LIMIT 10000
       ) AS due
 LIMIT 20000
