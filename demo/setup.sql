-- The extension, and the demonstration's data: three organisations, 10,000 assignments and their activities, from a fixed seed.

SET client_min_messages = warning;
CREATE EXTENSION assignment_reminders;
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

-- A history of contacts, by all four ways to register one.
INSERT INTO activities (organization_id, assignment_id, occurred_at, registration)
SELECT organization_id, id, now() - random() * (current_date - assigned_on) * interval '1 day',
       (ARRAY['direct', 'proxy', 'bulk', 'coordinator_proxy'])[1 + (random() * 2.999)::integer]
  FROM assignments
 WHERE random() < 0.6 AND assigned_on < current_date
 ORDER BY id;
ANALYZE organizations, users, peer_mentors, assignments, activities;
