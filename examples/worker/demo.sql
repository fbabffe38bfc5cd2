\set QUIET on
\pset footer off
SET search_path = assignment_reminders;
-- All of the backlog, and none of it held.
UPDATE reminder_settings SET follow_up_limit = NULL;
-- Assignments that were there before their due reminders' time, and twenty students who want a summary at midnight.
UPDATE assignments SET created_at = now() - interval '30 days';
INSERT INTO user_preferences (organization_id, user_id, daily_summary, summary_hour, created_at, updated_at)
SELECT u.organization_id, u.id, true, 0, '2020-01-01', '2020-01-01' FROM users u
 WHERE u.name LIKE 'Student%' AND EXISTS (SELECT FROM assignments a WHERE a.student_id = u.id AND a.status = 'open') ORDER BY u.email LIMIT 20;
\echo '    enqueued by the daily run, by due dates, and as summaries:'
SELECT (SELECT count(*) FROM run_daily_evaluation()) AS follow_ups,
       (SELECT count(*) FROM enqueue_due_reminders()) AS due_reminders,
       (SELECT count(*) FROM enqueue_daily_summaries()) AS summaries;
SELECT organization_name, pending, due_now, claimed, failed, sent_last_24_hours FROM reminder_queue ORDER BY 1;
