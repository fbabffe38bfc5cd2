-- The statements that bench/run measures, by section. The data is the same in every run.

-- section: setup
SET client_min_messages = warning;
CREATE EXTENSION assignment_reminders;
SELECT assignment_reminders.install();
CREATE SCHEMA bench;
-- The same decision as a PL/pgSQL programmer would write it.
CREATE FUNCTION bench.evaluate_assignment(
    last_contact_date date, assigned_on date, last_reminder_sent_at timestamptz,
    reminder_after_days integer, escalate_after_days integer, as_of date,
    OUT action text, OUT days_since integer
) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    silent_since date := coalesce(last_contact_date, assigned_on);
BEGIN
    days_since := as_of - silent_since;
    IF days_since >= escalate_after_days AND (last_reminder_sent_at AT TIME ZONE 'UTC')::date >= silent_since THEN
        action := 'escalate';
    ELSIF days_since >= reminder_after_days THEN
        action := 'remind';
    ELSE
        action := 'none';
    END IF;
END $$;

-- section: people
-- :organizations organisations with different thresholds and time zones, each with a student, 20 mentors, a coordinator.
TRUNCATE assignment_reminders.organizations CASCADE;
INSERT INTO assignment_reminders.organizations (id, name, timezone)
SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'Organisation ' || n,
       (ARRAY['Europe/Oslo', 'America/Los_Angeles', 'Asia/Kolkata', 'UTC', 'Africa/Nairobi'])[1 + n % 5]
  FROM generate_series(1, :organizations) AS n;
UPDATE assignment_reminders.reminder_settings s SET reminder_after_days = 10 + n % 5, escalate_after_days = 28 + n % 5
  FROM (SELECT organization_id, row_number() OVER (ORDER BY organization_id) AS n FROM assignment_reminders.reminder_settings) AS numbered
 WHERE numbered.organization_id = s.organization_id;
INSERT INTO assignment_reminders.users (organization_id, email, name)
SELECT o.id, n || '@example.org', CASE n WHEN 1 THEN 'student' WHEN 2 THEN 'coordinator' ELSE 'mentor' END
  FROM assignment_reminders.organizations o, generate_series(1, 22) AS n;
INSERT INTO assignment_reminders.peer_mentors (organization_id, user_id)
SELECT organization_id, id FROM assignment_reminders.users WHERE name = 'mentor';

-- section: assignments
-- :assignments of them, in turn over all mentors; one in :one_due_of has been silent for 20 days, the others for 2.
INSERT INTO assignment_reminders.assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on)
SELECT m.organization_id, 'Assignment ' || n, s.id, m.id, c.id, date '2026-11-22' - CASE WHEN n % :one_due_of = 0 THEN 20 ELSE 2 END
  FROM generate_series(1, :assignments) AS n
  JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS turn, count(*) OVER () AS mentors FROM assignment_reminders.peer_mentors) AS m
    ON m.turn = n % m.mentors
  JOIN assignment_reminders.users s ON s.organization_id = m.organization_id AND s.name = 'student'
  JOIN assignment_reminders.users c ON c.organization_id = m.organization_id AND c.name = 'coordinator';
ANALYZE;

-- section: call-ours
SELECT count(e.action) FROM generate_series(1, 200000) AS n, LATERAL assignment_reminders.evaluate_assignment(date '2026-10-20' + (n % 40), date '2026-09-01', timestamptz '2026-11-05 08:00+00', 14, 28, date '2026-11-22') AS e;

-- section: call-plpgsql
SELECT count(e.action) FROM generate_series(1, 200000) AS n, LATERAL bench.evaluate_assignment(date '2026-10-20' + (n % 40), date '2026-09-01', timestamptz '2026-11-05 08:00+00', 14, 28, date '2026-11-22') AS e;

-- section: call-nothing
SELECT count(e.e) FROM generate_series(1, 200000) AS n, LATERAL int4abs(n) AS e;

-- section: column-ours
SELECT count(assignment_reminders.evaluate_assignment(date '2026-10-20' + (n % 40), date '2026-09-01', timestamptz '2026-11-05 08:00+00', 14, 28, date '2026-11-22')) FROM generate_series(1, 200000) AS n;

-- section: column-plpgsql
SELECT count(bench.evaluate_assignment(date '2026-10-20' + (n % 40), date '2026-09-01', timestamptz '2026-11-05 08:00+00', 14, 28, date '2026-11-22')) FROM generate_series(1, 200000) AS n;

-- section: column-nothing
SELECT count(ROW(date '2026-10-20' + (n % 40), n)) FROM generate_series(1, 200000) AS n;

-- section: run
SELECT count(*) FROM assignment_reminders.run_daily_evaluation('2026-11-22 12:00+00');

-- section: forget-run
TRUNCATE assignment_reminders.reminders CASCADE;

-- section: reassign
UPDATE assignment_reminders.assignments SET peer_mentor_id = (SELECT m.id FROM assignment_reminders.peer_mentors m ORDER BY m.id OFFSET :turn LIMIT 1);

-- section: activities
INSERT INTO assignment_reminders.activities (organization_id, assignment_id, occurred_at)
SELECT a.organization_id, a.id, timestamptz '2026-11-01 12:00+00' + :turn * interval '1 day'
  FROM assignment_reminders.assignments a ORDER BY a.id LIMIT 10000;

-- section: outbox
-- :reminders follow-ups that are due, one for each of as many assignments, as a run would enqueue them.
TRUNCATE assignment_reminders.reminders, assignment_reminders.send_logs;
INSERT INTO assignment_reminders.reminders (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
SELECT assignment_reminders.time_ordered_id(), a.organization_id, a.id, m.user_id, 'contact-reminder',
       a.assigned_on::timestamp AT TIME ZONE 'UTC', timestamptz '2026-11-21 06:00+00'
  FROM assignment_reminders.assignments a JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
 LIMIT :reminders;
VACUUM ANALYZE assignment_reminders.reminders;
CHECKPOINT;

-- section: outbox-mostly-sent
-- 1,000 that are due, beside :sent that were sent.
TRUNCATE assignment_reminders.reminders, assignment_reminders.send_logs;
INSERT INTO assignment_reminders.reminders (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for, status, sent_at)
SELECT assignment_reminders.time_ordered_id(), a.organization_id, a.id, m.user_id, 'contact-reminder',
       a.assigned_on::timestamp AT TIME ZONE 'UTC', timestamptz '2026-11-21 06:00+00',
       CASE WHEN row_number() OVER () <= :sent THEN 'sent' ELSE 'pending' END, timestamptz '2026-11-21 06:01+00'
  FROM assignment_reminders.assignments a JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
 LIMIT :sent + 1000;
VACUUM ANALYZE assignment_reminders.reminders;

-- section: claim
SELECT count(*) FROM assignment_reminders.claim_reminders(100);
