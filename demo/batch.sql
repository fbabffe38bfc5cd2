\set kind random(1, 4)
\set skip random(0, 5000)
BEGIN;
\if :kind <= 2
INSERT INTO assignment_reminders.assignments (organization_id, title, student_id, peer_mentor_id)
SELECT m.organization_id, 'Batch', a.student_id, m.id
  FROM (SELECT * FROM assignment_reminders.peer_mentors ORDER BY id LIMIT 10) AS m
 CROSS JOIN LATERAL (SELECT s.student_id FROM assignment_reminders.assignments s WHERE s.organization_id = m.organization_id LIMIT 2) AS a
 ORDER BY random();
\elif :kind = 3
UPDATE assignment_reminders.assignments a
   SET peer_mentor_id = (SELECT m.id FROM assignment_reminders.peer_mentors m WHERE m.organization_id = a.organization_id ORDER BY m.id OFFSET :skip % 10 LIMIT 1)
 WHERE a.id IN (SELECT id FROM assignment_reminders.assignments WHERE title LIKE 'Assignment%' OFFSET :skip LIMIT 20 FOR UPDATE SKIP LOCKED);
\else
DELETE FROM assignment_reminders.assignments
 WHERE id IN (SELECT id FROM assignment_reminders.assignments WHERE title = 'Batch' LIMIT 10 FOR UPDATE SKIP LOCKED);
\endif
\if :skip < 1000
ROLLBACK;
\else
COMMIT;
\endif
