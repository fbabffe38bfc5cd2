-- Locks what belongs to a locked person ($1), as far as nobody else holds it, and returns all of it, and what is locked. Of
-- assignments and activities, those with a text ($2: what a title is when it was forgotten). Of reminders, all that may be addressed to
-- them, now or in a claim on its way: whoever answers for one, or hands one out, has ended by then or waits.
-- Indexes: user_preferences_pkey, assignments_student_due_at_idx, assignments_coordinator_idx, assignments_peer_mentor_idx,
-- activities_assignment_idx, activities_recorded_by_idx, contact_corrections_assignment_number_key, reminders_recipient_idx,
-- reminders_assignment_type_key, assignment_pauses_assignment_idx, mentor_pauses_peer_mentor_idx; primary keys to lock.
WITH student_assignment AS MATERIALIZED (
    SELECT a.id, a.title <> $2 OR a.description IS NOT NULL OR a.metadata <> '{}' AS has_text
      FROM assignment_reminders.assignments a
     WHERE a.student_id = $1
), preference AS MATERIALIZED (
    SELECT p.user_id AS id FROM assignment_reminders.user_preferences p WHERE p.user_id = $1
), preference_locked AS MATERIALIZED (
    SELECT p.user_id AS id FROM assignment_reminders.user_preferences p
     WHERE p.user_id = ANY (ARRAY(SELECT w.id FROM preference w)) FOR UPDATE SKIP LOCKED
), assignment AS MATERIALIZED (
    SELECT a.id FROM student_assignment a WHERE a.has_text
), assignment_locked AS MATERIALIZED (
    SELECT a.id FROM assignment_reminders.assignments a
     WHERE a.id = ANY (ARRAY(SELECT w.id FROM assignment w)) FOR NO KEY UPDATE SKIP LOCKED
), activity AS MATERIALIZED (
    SELECT t.id
      FROM student_assignment a
      JOIN assignment_reminders.activities t ON t.assignment_id = a.id
     WHERE t.notes IS NOT NULL OR t.metadata <> '{}'
     UNION
    SELECT t.id FROM assignment_reminders.activities t
     WHERE t.recorded_by = $1 AND (t.notes IS NOT NULL OR t.metadata <> '{}')
), activity_locked AS MATERIALIZED (
    SELECT t.id FROM assignment_reminders.activities t
     WHERE t.id = ANY (ARRAY(SELECT w.id FROM activity w)) FOR NO KEY UPDATE SKIP LOCKED
), correction AS MATERIALIZED (
    SELECT c.id
      FROM student_assignment a
      JOIN assignment_reminders.contact_corrections c ON c.assignment_id = a.id
     WHERE c.reason <> $2
), correction_locked AS MATERIALIZED (
    SELECT c.id FROM assignment_reminders.contact_corrections c
     WHERE c.id = ANY (ARRAY(SELECT w.id FROM correction w)) FOR NO KEY UPDATE SKIP LOCKED
), pause AS MATERIALIZED (
    SELECT p.id
      FROM student_assignment a
      JOIN assignment_reminders.assignment_pauses p ON p.assignment_id = a.id
     WHERE p.reason IS NOT NULL
), absence AS MATERIALIZED (
    SELECT p.id
      FROM assignment_reminders.users u
      JOIN assignment_reminders.peer_mentors m ON m.user_id = u.id AND m.organization_id = u.organization_id
      JOIN assignment_reminders.mentor_pauses p ON p.peer_mentor_id = m.id
     WHERE u.id = $1 AND p.reason IS NOT NULL
), absence_locked AS MATERIALIZED (
    SELECT p.id FROM assignment_reminders.mentor_pauses p
     WHERE p.id = ANY (ARRAY(SELECT w.id FROM absence w)) FOR NO KEY UPDATE SKIP LOCKED
), pause_locked AS MATERIALIZED (
    SELECT p.id FROM assignment_reminders.assignment_pauses p
     WHERE p.id = ANY (ARRAY(SELECT w.id FROM pause w)) FOR NO KEY UPDATE SKIP LOCKED
), reminder AS MATERIALIZED (
    SELECT r.id FROM assignment_reminders.reminders r WHERE r.recipient_id = $1
     UNION
    SELECT r.id FROM student_assignment a JOIN assignment_reminders.reminders r ON r.assignment_id = a.id
     UNION
    SELECT r.id
      FROM assignment_reminders.assignments a
      JOIN assignment_reminders.reminders r ON r.assignment_id = a.id
     CROSS JOIN LATERAL assignment_reminders.reminder_kind(r.reminder_type) AS kind
     WHERE a.coordinator_id = $1 AND kind.addressee = 'coordinator'
     UNION
    SELECT r.id
      FROM assignment_reminders.users u
      JOIN assignment_reminders.peer_mentors m ON m.user_id = u.id AND m.organization_id = u.organization_id
      JOIN assignment_reminders.assignments a ON a.peer_mentor_id = m.id
      JOIN assignment_reminders.reminders r ON r.assignment_id = a.id
     CROSS JOIN LATERAL assignment_reminders.reminder_kind(r.reminder_type) AS kind
     WHERE u.id = $1 AND kind.addressee = 'mentor'
), reminder_locked AS MATERIALIZED (
    SELECT r.id FROM assignment_reminders.reminders r
     WHERE r.id = ANY (ARRAY(SELECT w.id FROM reminder w)) FOR NO KEY UPDATE SKIP LOCKED
)
SELECT 'user_preferences' AS name, w.id, w.id IN (SELECT l.id FROM preference_locked l) AS is_locked FROM preference w
 UNION ALL
SELECT 'assignments', w.id, w.id IN (SELECT l.id FROM assignment_locked l) FROM assignment w
 UNION ALL
SELECT 'activities', w.id, w.id IN (SELECT l.id FROM activity_locked l) FROM activity w
 UNION ALL
SELECT 'contact_corrections', w.id, w.id IN (SELECT l.id FROM correction_locked l) FROM correction w
 UNION ALL
SELECT 'assignment_pauses', w.id, w.id IN (SELECT l.id FROM pause_locked l) FROM pause w
 UNION ALL
SELECT 'mentor_pauses', w.id, w.id IN (SELECT l.id FROM absence_locked l) FROM absence w
 UNION ALL
SELECT 'reminders', w.id, w.id IN (SELECT l.id FROM reminder_locked l) FROM reminder w
