-- Waits until nobody holds the row $2 of the table $1. Index: primary keys.
WITH person AS MATERIALIZED (
    SELECT u.id FROM assignment_reminders.users u WHERE $1 = 'users' AND u.id = $2 FOR UPDATE
), preference AS MATERIALIZED (
    SELECT p.user_id FROM assignment_reminders.user_preferences p WHERE $1 = 'user_preferences' AND p.user_id = $2 FOR UPDATE
), assignment AS MATERIALIZED (
    SELECT a.id FROM assignment_reminders.assignments a WHERE $1 = 'assignments' AND a.id = $2 FOR NO KEY UPDATE
), activity AS MATERIALIZED (
    SELECT t.id FROM assignment_reminders.activities t WHERE $1 = 'activities' AND t.id = $2 FOR NO KEY UPDATE
), correction AS MATERIALIZED (
    SELECT c.id FROM assignment_reminders.contact_corrections c
     WHERE $1 = 'contact_corrections' AND c.id = $2 FOR NO KEY UPDATE
), absence AS MATERIALIZED (
    SELECT p.id FROM assignment_reminders.mentor_pauses p WHERE $1 = 'mentor_pauses' AND p.id = $2 FOR NO KEY UPDATE
), pause AS MATERIALIZED (
    SELECT p.id FROM assignment_reminders.assignment_pauses p WHERE $1 = 'assignment_pauses' AND p.id = $2 FOR NO KEY UPDATE
), reminder AS MATERIALIZED (
    SELECT r.id FROM assignment_reminders.reminders r WHERE $1 = 'reminders' AND r.id = $2 FOR NO KEY UPDATE
), log AS MATERIALIZED (
    SELECT l.id FROM assignment_reminders.send_logs l WHERE $1 = 'send_logs' AND l.id = $2 FOR UPDATE
), evaluation AS MATERIALIZED (
    SELECT e.id FROM assignment_reminders.evaluation_runs e WHERE $1 = 'evaluation_runs' AND e.id = $2 FOR NO KEY UPDATE
)
SELECT id FROM person UNION ALL SELECT user_id FROM preference UNION ALL SELECT id FROM assignment
 UNION ALL SELECT id FROM activity UNION ALL SELECT id FROM correction UNION ALL SELECT id FROM reminder
 UNION ALL SELECT id FROM absence UNION ALL SELECT id FROM pause UNION ALL SELECT id FROM log UNION ALL SELECT id FROM evaluation
