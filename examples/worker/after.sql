\set QUIET on
\pset footer off
SET search_path = assignment_reminders;
SELECT organization_name, pending, due_now, claimed, retrying, failed, sent_last_24_hours FROM reminder_queue ORDER BY 1;
SELECT status, given_up, left(error, 30) AS error, count(*) FROM send_logs GROUP BY 1, 2, 3 ORDER BY 1, 2;
SELECT count(*) AS recorded_as_sent_twice FROM (
       SELECT FROM send_logs WHERE status = 'queued' GROUP BY reminder_id, anchor HAVING count(*) > 1) AS twice;
