-- %(organizations)s organisations with different thresholds and time zones; each has a student, a coordinator and
-- %(mentors)s mentors. The mentors of all are numbered through: 1 to %(mentors)s are those of the first organisation.
-- Without history of the run before.
SET session_replication_role = replica;
TRUNCATE assignment_reminders.organizations, assignment_reminders.row_history, assignment_reminders.reminder_events CASCADE;
RESET session_replication_role;
INSERT INTO assignment_reminders.organizations (id, name, timezone)
SELECT bench.id(1, n), 'Organisation ' || n,
       (ARRAY['Europe/Oslo', 'America/Los_Angeles', 'Asia/Kolkata', 'UTC', 'Africa/Nairobi'])[1 + n %% 5]
  FROM generate_series(1, %(organizations)s) AS n;
UPDATE assignment_reminders.reminder_settings s
   SET reminder_after_days = 10 + numbered.n %% 5, escalate_after_days = 28 + numbered.n %% 5,
       -- The guard counts, and holds nothing.
       follow_up_limit = 2000000000
  FROM (SELECT organization_id, row_number() OVER (ORDER BY organization_id) AS n FROM assignment_reminders.reminder_settings) AS numbered
 WHERE numbered.organization_id = s.organization_id;
-- As if they had been so for long: claims look once more at what waited while thresholds changed.
UPDATE assignment_reminders.reminder_settings SET thresholds_changed_at = NULL;
INSERT INTO assignment_reminders.users (id, organization_id, email, name)
SELECT bench.id(kind, n), bench.id(1, n), name || n || '@example.org', name
  FROM generate_series(1, %(organizations)s) AS n, (VALUES (2, 'student'), (3, 'coordinator')) AS people (kind, name);
INSERT INTO assignment_reminders.users (id, organization_id, email, name)
SELECT bench.id(4, n), bench.id(1, 1 + (n - 1) / %(mentors)s), 'mentor' || n || '@example.org', 'mentor'
  FROM generate_series(1, %(organizations)s * %(mentors)s) AS n;
INSERT INTO assignment_reminders.peer_mentors (id, organization_id, user_id)
SELECT bench.id(5, n), bench.id(1, 1 + (n - 1) / %(mentors)s), bench.id(4, n)
  FROM generate_series(1, %(organizations)s * %(mentors)s) AS n;
