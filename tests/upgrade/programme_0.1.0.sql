-- A programme at 0.1.0, as `make demo` had it, with an outbox that holds every kind of reminder in every state. Written for that
-- version, and so not to be changed with later ones.

SET client_min_messages = warning;
CREATE EXTENSION assignment_reminders VERSION '0.1.0';
SELECT assignment_reminders.install();
SET search_path = assignment_reminders;
SELECT setseed(0.42);

INSERT INTO organizations (id, name, timezone) VALUES
    ('00000000-0000-0000-0000-00000000000a', 'Leksehjelp Oslo', 'Europe/Oslo'),
    ('00000000-0000-0000-0000-00000000000b', 'Study Buddies LA', 'America/Los_Angeles'),
    ('00000000-0000-0000-0000-00000000000c', 'Saathi Kolkata', 'Asia/Kolkata');
UPDATE reminder_settings SET reminder_after_days = 7, escalate_after_days = 21 WHERE organization_id = '00000000-0000-0000-0000-00000000000b';
UPDATE reminder_settings SET reminder_after_days = 10, escalate_after_days = 30 WHERE organization_id = '00000000-0000-0000-0000-00000000000c';

INSERT INTO users (organization_id, email, name, timezone)
SELECT o.id, format('%s%s@%s.example.org', role.name, n, right(o.id::text, 1)), format('%s %s', initcap(role.name), n), o.timezone
  FROM organizations o, (VALUES ('student', 1000), ('mentor', 100), ('coordinator', 5)) AS role (name, people), generate_series(1, role.people) AS n
 WHERE o.id <> '00000000-0000-0000-0000-000000000001';
INSERT INTO peer_mentors (organization_id, user_id)
SELECT organization_id, id FROM users WHERE name LIKE 'Mentor%' ORDER BY organization_id, email;

-- Numbered people, to draw from by a random number.
CREATE TEMPORARY TABLE student AS SELECT organization_id, id, row_number() OVER (PARTITION BY organization_id ORDER BY email) AS n FROM users WHERE name LIKE 'Student%';
CREATE TEMPORARY TABLE coordinator AS SELECT organization_id, id, row_number() OVER (PARTITION BY organization_id ORDER BY email) AS n FROM users WHERE name LIKE 'Coordinator%';
CREATE TEMPORARY TABLE mentor AS SELECT m.organization_id, m.id, row_number() OVER (PARTITION BY m.organization_id ORDER BY u.email) AS n FROM peer_mentors m JOIN users u ON u.id = m.user_id;
CREATE TEMPORARY TABLE draw AS
SELECT n, ('00000000-0000-0000-0000-00000000000' || substr('abc', 1 + (random() * 2.999)::integer % 3, 1))::uuid AS organization_id,
       1 + (random() * 999)::integer AS student, 1 + (random() * 99)::integer AS mentor, 1 + (random() * 4)::integer AS coordinator,
       (random() * 60)::integer AS days, random() AS luck
  FROM generate_series(1, 10000) AS n;

INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on, status, due_at)
SELECT d.organization_id, 'Assignment ' || d.n, s.id, CASE WHEN d.luck > 0.01 THEN m.id END, c.id, current_date - d.days,
       CASE WHEN d.luck > 0.97 THEN 'completed' WHEN d.luck > 0.95 THEN 'paused' ELSE 'open' END, now() + d.days * interval '12 hours'
  FROM draw d
  JOIN student s ON s.organization_id = d.organization_id AND s.n = d.student
  JOIN mentor m ON m.organization_id = d.organization_id AND m.n = d.mentor
  JOIN coordinator c ON c.organization_id = d.organization_id AND c.n = d.coordinator
 ORDER BY d.n;

-- A history of contacts, by all four ways to register one. None is before its assignment, in whatever time zone and at whatever hour this runs.
INSERT INTO activities (organization_id, assignment_id, occurred_at, registration)
SELECT organization_id, id, now() - random() * (now() - (assigned_on + 1)::timestamp AT TIME ZONE 'UTC'),
       (ARRAY['direct', 'proxy', 'bulk', 'coordinator_proxy'])[1 + (random() * 2.999)::integer]
  FROM assignments
 WHERE random() < 0.6 AND assigned_on < current_date
 ORDER BY id;
ANALYZE;

-- The outbox: reminders, escalations of those that were sent, due reminders, summaries.
INSERT INTO user_preferences (organization_id, user_id, daily_summary, summary_hour, created_at, updated_at)
SELECT organization_id, id, true, 0, now() - interval '9 days', now() - interval '9 days' FROM users WHERE name LIKE 'Student%' AND email ~ '0@';
SELECT count(*) FROM run_daily_evaluation(now() - interval '12 days');
SELECT count(mark_reminder_sent(reminder_id, claim_id, as_of => now() - interval '12 days'))
  FROM claim_reminders(10000, as_of => now() - interval '12 days');
SELECT count(*) FROM run_daily_evaluation(now());
SELECT count(*) FROM enqueue_due_reminders(now());
SELECT count(*) FROM enqueue_daily_summaries(now());
CREATE TABLE public.claimed AS SELECT * FROM claim_reminders(10000, lease => '1 hour', as_of => now());
CREATE TEMPORARY TABLE answer AS
SELECT reminder_id, claim_id, row_number() OVER (PARTITION BY reminder_type ORDER BY reminder_id) % 5 AS state FROM public.claimed;
SELECT count(mark_reminder_sent(reminder_id, claim_id, message_id => 'm-' || reminder_id)) FROM answer WHERE state = 1;
SELECT count(mark_reminder_failed(reminder_id, claim_id, '550 no such user', permanent => true)) FROM answer WHERE state = 2;
UPDATE reminders r SET status = 'skipped', skip_reason = 'not_open', claim_id = NULL, claimed_until = NULL
  FROM answer WHERE answer.reminder_id = r.id AND answer.state = 3;
UPDATE reminders r SET claim_id = NULL, claimed_until = NULL FROM answer WHERE answer.reminder_id = r.id AND answer.state = 4;
