-- %(assignments)s of them, in turn over all mentors; one in %(one_due_of)s has been silent for 20 days, the others for 2.
-- Loaded without triggers and foreign key checks, which is only about the time it takes; the counts are repaired after.
SET session_replication_role = replica;
INSERT INTO assignment_reminders.assignments (id, organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on)
SELECT bench.id(6, n), bench.id(1, organization), 'Assignment ' || n, bench.id(2, organization),
       bench.id(5, 1 + n %% total), bench.id(3, organization),
       date '2026-11-22' - CASE WHEN n %% %(one_due_of)s = 0 THEN 20 ELSE 2 END
  FROM (SELECT count(*) AS total, (SELECT count(*) FROM assignment_reminders.organizations) AS organizations
          FROM assignment_reminders.peer_mentors) AS people,
       generate_series(1, %(assignments)s) AS n,
       LATERAL (SELECT 1 + n %% total / (total / organizations) AS organization) AS place;
RESET session_replication_role;
SELECT count(*) FROM assignment_reminders.repair_assignment_counts();
