\set ECHO none
\set QUIET on
\pset border 1
\pset null '-'
\pset footer off
SET search_path = assignment_reminders;
SET client_min_messages = warning;
\timing on
\set QUIET off

\echo '\n=== 1. Three organisations, each with its own thresholds and time zone'
\set ECHO queries
SELECT o.name, o.timezone, s.reminder_after_days AS remind, s.escalate_after_days AS escalate,
       count(a.id) AS assignments, count(a.last_contact_date) AS contacted
  FROM organizations o
  JOIN reminder_settings s ON s.organization_id = o.id
  JOIN assignments a ON a.organization_id = o.id
 GROUP BY o.id, s.organization_id ORDER BY o.name;

\set ECHO none
\echo '\n=== 2. The rules are plain functions'
\set ECHO queries
SELECT days_since_last_contact(date '2026-11-01', date '2026-11-22');
SELECT action, days_since
  FROM evaluate_assignment(last_contact_date => date '2026-10-20', assigned_on => date '2026-09-01',
                           last_reminder_sent_at => timestamptz '2026-11-05 08:00+00',
                           reminder_after_days => 14, escalate_after_days => 28, as_of => date '2026-11-22');

\set ECHO none
\set QUIET on
\timing off
SELECT id AS contacted FROM assignments WHERE status = 'open' AND last_contact_date IS NULL AND peer_mentor_id IS NOT NULL
   AND assigned_on < current_date - 15 ORDER BY title LIMIT 1 \gset
\timing on
\set QUIET off
\echo '\n=== 3. A contact is registered, whichever way, and the contact date follows'
\set ECHO queries
INSERT INTO activities (organization_id, assignment_id, occurred_at, registration)
SELECT organization_id, id, now() - way.days * interval '1 day', way.registration
  FROM assignments, (VALUES (4, 'direct'), (3, 'proxy'), (2, 'bulk'), (1, 'coordinator_proxy')) AS way (days, registration)
 WHERE id = :'contacted';
SELECT title, assigned_on, last_contact_date FROM assignments WHERE id = :'contacted';

\set ECHO none
\echo '\n=== 4. A rollback changes nothing'
\set ECHO queries
BEGIN;
DELETE FROM activities WHERE assignment_id = :'contacted';
SELECT last_contact_date AS within_the_transaction FROM assignments WHERE id = :'contacted';
ROLLBACK;
SELECT last_contact_date AS after_the_rollback FROM assignments WHERE id = :'contacted';

\set ECHO none
\echo '\n=== 5. Counts that payments rely on: 8 sessions insert, move and delete over the same mentors at once'
\set ECHO queries
SELECT sum(assignment_count) AS counted, (SELECT count(*) FROM assignments WHERE peer_mentor_id IS NOT NULL) AS really FROM peer_mentors;
\! demo/concurrent-batches
SELECT sum(assignment_count) AS counted, (SELECT count(*) FROM assignments WHERE peer_mentor_id IS NOT NULL) AS really FROM peer_mentors;
SELECT count(*) AS mentors_with_a_wrong_count FROM verify_assignment_counts();
UPDATE peer_mentors SET assignment_count = 1000;

\set ECHO none
\echo '\n=== 6. What is due today? Evaluating only reads, also under settings that are not there yet'
\set ECHO queries
SELECT o.name, f.action, f.skip_reason, count(*), min(f.days_since), max(f.days_since)
  FROM evaluate_assignments() f JOIN organizations o ON o.id = f.organization_id
 GROUP BY o.name, f.action, f.skip_reason ORDER BY 1, 2, 3;
SELECT o.name, f.action, count(*)
  FROM preview_follow_ups(reminder_after_days => 5, weekly_days_off => '{}') AS f JOIN organizations o ON o.id = f.organization_id
 GROUP BY 1, 2 ORDER BY 1, 2;

\set ECHO none
\echo '\n=== 7. The first run after an import: a backlog, held until somebody has looked. Then runs enqueue it; a second one finds nothing to do'
\set ECHO queries
SELECT count(*) AS enqueued FROM run_daily_evaluation();
SELECT o.name, r.status, r.reminders, r.escalations, r.backlog, s.follow_up_limit
  FROM evaluation_runs r JOIN organizations o ON o.id = r.organization_id JOIN reminder_settings s ON s.organization_id = o.id ORDER BY 1;
SELECT release_held_run(id) AS released, name FROM organizations ORDER BY 2;
SELECT action, skip_reason, count(*) FROM run_daily_evaluation() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS enqueued_by_the_second_run FROM run_daily_evaluation();

\set ECHO none
\set QUIET on
\timing off
SELECT assignment_id AS silent FROM reminders WHERE status = 'pending' ORDER BY anchor, assignment_id LIMIT 1 \gset
\timing on
\set QUIET off
\echo '\n=== 8. A contact cancels the pending reminder at once'
\set ECHO queries
SELECT reminder_type, status, skip_reason, anchor::date FROM reminders WHERE assignment_id = :'silent';
INSERT INTO activities (organization_id, assignment_id) SELECT organization_id, id FROM assignments WHERE id = :'silent';
SELECT reminder_type, status, skip_reason, anchor::date FROM reminders WHERE assignment_id = :'silent';

\set ECHO none
\echo '\n=== 9. It was entered for the wrong student: a correction, on record; the reminder is due again'
\set ECHO queries
SELECT correct_last_contact_date(:'silent', NULL, 'entered for the wrong student');
SELECT previous_date, new_date, reason, corrected_by FROM contact_corrections WHERE assignment_id = :'silent';
SELECT action, days_since, reminder_type FROM run_daily_evaluation();

\set ECHO none
\echo '\n=== 10. Delivery: a worker claims a batch, fair between the organisations, with all that a mailer needs'
\set ECHO queries
CREATE TEMPORARY TABLE batch AS SELECT * FROM claim_reminders(6, lease => '5 minutes');
SELECT right(organization_id::text, 1) AS organisation, reminder_type, recipient_email, student_name, assignment_title, days_since
  FROM batch ORDER BY organization_id, scheduled_for;

\set ECHO none
\echo '\n=== 11. It answers: sent, or failed and retried later. An answer to a claim that no longer holds changes nothing'
\set ECHO queries
SELECT count(*) FILTER (WHERE mark_reminder_sent(reminder_id, claim_id, message_id => idempotency_key)) AS recorded
  FROM batch OFFSET 0;
SELECT mark_reminder_sent(reminder_id, claim_id) AS recorded_again FROM batch LIMIT 1;
CREATE TEMPORARY TABLE refused AS SELECT * FROM claim_reminders(1);
SELECT mark_reminder_failed(reminder_id, claim_id, '451 try again later') FROM refused;
SELECT r.status, r.attempts, r.last_error, r.retry_at - now() AS retried_after FROM reminders r JOIN refused ON refused.reminder_id = r.id;

\set ECHO none
\echo '\n=== 12. Due dates: one reminder for each offset; a completed assignment is skipped at the claim'
\set ECHO queries
UPDATE assignments SET created_at = now() - interval '90 days';
SELECT reminder_type, count(*), min(scheduled_for) <= now() AS some_are_due FROM enqueue_due_reminders() GROUP BY 1 ORDER BY 1;
UPDATE assignments SET completed = true
 WHERE id = (SELECT assignment_id FROM reminders WHERE reminder_type = '24h' AND status = 'pending' ORDER BY assignment_id LIMIT 1);

\set ECHO none
\echo '\n=== 13. Four sessions deliver all that is due, in batches of 100 (how many, and in how many seconds)'
\set ECHO queries
\! ${CARGO_TARGET_DIR:-target}/release/deliver 4 100
SELECT skip_reason, count(*) FROM reminders WHERE status = 'skipped' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS recorded_as_sent_twice
  FROM (SELECT FROM send_logs WHERE status = 'queued' GROUP BY reminder_id, anchor HAVING count(*) > 1) AS twice;
SELECT organization_name, pending, due_now, retrying, failed, sent_last_24_hours FROM reminder_queue ORDER BY 1;

\set ECHO none
\echo '\n=== 14. Two weeks later: whoever is still silent is escalated'
\set ECHO queries
SELECT action, skip_reason, count(*) FROM run_daily_evaluation(now() + interval '14 days') GROUP BY 1, 2 ORDER BY 1, 2;

\set ECHO none
\echo '\n=== 15. A pause, a holiday and a handover: days on which nobody could act do not count, and a new mentor is reminded first'
\timing off
\set QUIET on
BEGIN;
INSERT INTO organizations (id, name) VALUES ('c1000000-0000-0000-0000-000000000000', 'With weekends');
SET LOCAL assignment_reminders.organization_id = 'c1000000-0000-0000-0000-000000000000';
INSERT INTO users (id, email, name) VALUES
    ('c1000000-0000-0000-0000-000000000001', 'kim@example.org', 'Kim'), ('c1000000-0000-0000-0000-000000000002', 'mia@example.org', 'Mia'),
    ('c1000000-0000-0000-0000-000000000003', 'ole@example.org', 'Ole'), ('c1000000-0000-0000-0000-000000000004', 'kari@example.org', 'Kari');
INSERT INTO peer_mentors (id, user_id) VALUES ('c1000000-0000-0000-0000-0000000000a2', 'c1000000-0000-0000-0000-000000000002'),
    ('c1000000-0000-0000-0000-0000000000a3', 'c1000000-0000-0000-0000-000000000003');
\set QUIET off
\set ECHO queries
UPDATE reminder_settings SET weekly_days_off = '{6,7}', reminder_after_days = 10, escalate_after_days = 12, escalation_grace_days = 3,
       fallback_coordinator_id = 'c1000000-0000-0000-0000-000000000004' WHERE organization_id = current_organization();
INSERT INTO days_off (first_day, last_day, reason) VALUES ('2026-11-09', '2026-11-10', 'mid-term break');
INSERT INTO assignments (id, title, student_id, peer_mentor_id, assigned_on) VALUES
    ('c1000000-0000-0000-0000-0000000000f1', 'Essay', 'c1000000-0000-0000-0000-000000000001', 'c1000000-0000-0000-0000-0000000000a2', '2026-11-02');
SELECT pause_assignment('c1000000-0000-0000-0000-0000000000f1', until => '2026-11-18', reason => 'Kim is ill', as_of => '2026-11-16 12:00+00') AS pause;
SELECT day::date, to_char(day, 'Dy') AS weekday, f.action, f.days_since
  FROM generate_series(timestamptz '2026-11-16 12:00+00', '2026-11-23 12:00+00', '1 day') AS day
  LEFT JOIN evaluate_assignments(day, current_organization()) AS f ON true ORDER BY 1;
SELECT f.action, u.name FROM run_daily_evaluation('2026-11-23 12:00+00') AS f JOIN users u ON u.id = f.recipient_id WHERE f.organization_id = current_organization();
SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-23 12:00+00') AS sent
  FROM claim_reminders(organization_id => current_organization(), as_of => '2026-11-23 12:00+00');
UPDATE assignments SET peer_mentor_id = 'c1000000-0000-0000-0000-0000000000a3' WHERE id = 'c1000000-0000-0000-0000-0000000000f1';
SELECT f.action, u.name FROM run_daily_evaluation('2026-11-24 12:00+00') AS f JOIN users u ON u.id = f.recipient_id WHERE f.organization_id = current_organization();
SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-24 12:00+00') AS sent
  FROM claim_reminders(organization_id => current_organization(), as_of => '2026-11-24 12:00+00');
SELECT day::date, f.action, u.name FROM generate_series(timestamptz '2026-11-25 12:00+00', '2026-11-27 12:00+00', '1 day') AS day
  LEFT JOIN evaluate_assignments(day, current_organization()) AS f ON true LEFT JOIN users u ON u.id = f.recipient_id ORDER BY 1;
SELECT explanation FROM explain_assignment('c1000000-0000-0000-0000-0000000000f1', '2026-11-25 12:00+00', known_at => now());
SELECT event, text FROM assignment_timeline('c1000000-0000-0000-0000-0000000000f1') WHERE event !~ 'enqueued|claimed';
ROLLBACK;
\set ECHO none
\timing on

\set ECHO none
\echo '\n=== 16. What mentors are paid by: a statement of any period, told from the history, and a month that is closed for good'
\set QUIET on
BEGIN;
-- As if the history had begun 40 days ago: days that have ended can be closed.
UPDATE history_horizon SET known_since = known_since - interval '40 days';
\set QUIET off
\set ECHO queries
UPDATE assignments SET completed = true WHERE id IN (SELECT id FROM assignments WHERE organization_id = '00000000-0000-0000-0000-00000000000a' AND status = 'open' ORDER BY title LIMIT 1500);
SELECT u.name, sum(s.number) FILTER (WHERE s.item = 'at_beginning') AS had, sum(s.number) FILTER (WHERE s.item = 'recorded') AS recorded,
       sum(s.number) FILTER (WHERE s.item = 'at_end') AS has, sum(s.number) FILTER (WHERE s.item = 'completed') AS completed
  FROM mentor_statement(current_date - 1, current_date, '00000000-0000-0000-0000-00000000000a') AS s
  JOIN peer_mentors m ON m.id = s.peer_mentor_id JOIN users u ON u.id = m.user_id GROUP BY u.name ORDER BY u.name LIMIT 3;
SELECT last_day, adjustments, left(checksum, 16) || '...' AS checksum FROM close_period('00000000-0000-0000-0000-00000000000a', current_date - 2);
SELECT count(*) AS problems FROM verify_closed_periods();
ROLLBACK;

\set ECHO none
\echo '\n=== 17. Every run is logged, and health says how it stands'
\set ECHO queries
SELECT as_of::date, status, reminders, escalations, undeliverable, finished_at - started_at AS took
  FROM evaluation_runs ORDER BY started_at DESC;
SELECT status, reasons FROM evaluation_health();
SELECT state, next_action, count(*), min(next_on) AS from, max(next_on) AS to FROM silent_assignments GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS forgotten FROM forgotten_assignments();

\set ECHO none
\echo '\n=== 18. What other settings would bring: the next days, week by week, as set and with escalations after 42 days'
\set ECHO queries
SELECT date_trunc('week', day)::date AS week, sum(s.reminders) AS reminders, sum(s.escalations) AS escalations,
       sum(o.escalations) AS escalations_after_42
  FROM simulate_follow_ups('00000000-0000-0000-0000-00000000000a', current_date, current_date + 34) AS s
  JOIN simulate_follow_ups('00000000-0000-0000-0000-00000000000a', current_date, current_date + 34, '{"escalate_after_days": 42}') AS o USING (day)
 GROUP BY 1 ORDER BY 1;

\set ECHO none
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_cron') AS has_pg_cron \gset
\if :has_pg_cron
\echo '\n=== 19. pg_cron does it every hour (here: every minute)'
\set ECHO queries
INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on)
SELECT organization_id, 'Silent since last month', student_id, peer_mentor_id, coordinator_id, current_date - 31
  FROM assignments WHERE peer_mentor_id IS NOT NULL ORDER BY title LIMIT 3;
-- From midnight on, so that you see it at whatever hour you look; 7 where nothing is set.
UPDATE reminder_settings SET evaluation_hour = 0;
SELECT job_id, job_name, schedule FROM schedule_daily_evaluation('* * * * *');
SELECT job_id, job_name, schedule FROM schedule_delivery_jobs();
\set ECHO none
\else
\echo '\n=== 19. This Postgres has no pg_cron, which would do it every hour. Any other scheduler can.'
\endif
