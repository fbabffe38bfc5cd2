-- What stops clocks: 20 holidays in each organization, before the silences that are due, and pauses of 1 % of the assignments, of which one in
-- ten goes on. Kept aside, to be had or not.
CREATE TABLE bench.days_off AS
SELECT gen_random_uuid() AS id, o.id AS organization_id, day::date AS first_day, day::date AS last_day, NULL::text AS reason, now() AS created_at, now() AS updated_at
  FROM assignment_reminders.organizations o, generate_series(date '2025-12-01', date '2026-10-31', interval '17 days') AS day;
CREATE TABLE bench.assignment_pauses AS
SELECT gen_random_uuid() AS id, a.organization_id, a.id AS assignment_id, date '2026-11-20' AS paused_from,
       CASE WHEN n % 1000 > 1 THEN date '2026-11-21' END AS paused_until, 'pause'::text AS cause, NULL::text AS reason, NULL::uuid AS paused_by,
       now() AS created_at, now() AS updated_at
  FROM generate_series(1, 1000000, 100) AS n
  JOIN assignment_reminders.assignments a ON a.id = bench.id(6, n::integer);
