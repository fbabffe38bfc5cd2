-- What is due at $1 to people ($2), of what names them or somebody whom it was enqueued for before it became theirs ($3, pairwise), and of what goes to them as
-- students. Only what goes to them now, as judge.sql finds it: what is locked for one person's message would be missing in another's.
-- Each look-up is in the order of its index, and bounded: whatever the statistics say, nothing else is as cheap.
-- Indexes: reminders_recipient_idx; assignments_student_due_at_idx and reminders_assignment_type_key for what goes to students; primary keys.
SELECT of.user_id, due.id AS reminder_id
  FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS of (user_id, named_id, place)
 CROSS JOIN LATERAL (
       (SELECT r.id
          FROM assignment_reminders.reminders r
         CROSS JOIN LATERAL assignment_reminders.reminder_kind(r.reminder_type) AS kind
         WHERE r.recipient_id = of.named_id AND r.status = 'pending' AND greatest(r.scheduled_for, r.retry_at) <= $1
           AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
           AND of.user_id = CASE WHEN kind.follows <> 'silence' THEN r.recipient_id
                                 ELSE (SELECT CASE kind.addressee
                                              WHEN 'mentor' THEN (
                                                   SELECT m.user_id FROM assignment_reminders.peer_mentors m WHERE m.id = a.peer_mentor_id LIMIT 1)
                                              ELSE (SELECT CASE WHEN s.fallback_coordinator_id IS NULL THEN a.coordinator_id
                                                                ELSE assignment_reminders.coordinator_to_tell(
                                                                     a.organization_id, a.coordinator_id, s.fallback_coordinator_id,
                                                                     r.reminder_type) END
                                                      FROM (SELECT) AS asked
                                                      LEFT JOIN LATERAL (
                                                           SELECT s.fallback_coordinator_id FROM assignment_reminders.reminder_settings s
                                                            WHERE s.organization_id = a.organization_id LIMIT 1
                                                           ) AS s ON true) END
                                         FROM assignment_reminders.assignments a WHERE a.id = r.assignment_id LIMIT 1) END
         ORDER BY greatest(r.scheduled_for, r.retry_at)
         LIMIT 10000)
       UNION ALL
       SELECT r.id
         FROM (SELECT a.id FROM assignment_reminders.assignments a
                WHERE a.student_id = of.user_id AND of.user_id = of.named_id ORDER BY a.due_at LIMIT 10000) AS a
        CROSS JOIN LATERAL (
              SELECT * FROM assignment_reminders.reminders r WHERE r.assignment_id = a.id ORDER BY r.reminder_type LIMIT 10000
              ) AS r
        WHERE r.recipient_id IS NULL AND r.status = 'pending' AND greatest(r.scheduled_for, r.retry_at) <= $1
          AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
       LIMIT 10000
       ) AS due
 -- One more than a message may hold: whoever is cut off here waits for the next.
 LIMIT 10001
