-- What a year left of the organization's %(assignments)s assignments, after people.sql and assignments.sql: assigned in its first two months, 25 contacts of each,
-- three changes of each assignment, 12 days off. Loaded without triggers, as assignments.sql does.
SET session_replication_role = replica;
UPDATE assignment_reminders.history_horizon SET known_since = now() - interval '400 days';
UPDATE assignment_reminders.organizations SET created_at = now() - interval '399 days';
UPDATE assignment_reminders.reminder_settings SET created_at = now() - interval '399 days';
UPDATE assignment_reminders.users SET created_at = now() - interval '399 days';
UPDATE assignment_reminders.peer_mentors SET created_at = now() - interval '399 days';
UPDATE assignment_reminders.assignments
   SET assigned_on = current_date - 395 + (hashtext(id::text) & 63), created_at = now() - interval '396 days' + (hashtext(id::text) & 63) * interval '1 day';
INSERT INTO assignment_reminders.activities (organization_id, assignment_id, occurred_at, is_contact, created_at)
SELECT a.organization_id, a.id, contact.at, true, contact.at + interval '2 hours'
  FROM assignment_reminders.assignments a
 CROSS JOIN generate_series(1, 26) AS n
 CROSS JOIN LATERAL (SELECT now() - interval '390 days' + n * interval '15 days' + (hashtext(a.id::text || n) & 7) * interval '1 day' AS at) AS contact
 WHERE contact.at < now();
INSERT INTO assignment_reminders.row_history (organization_id, table_name, row_id, operation, old_values, changed_at, changed_by)
SELECT a.organization_id, 'assignments', a.id, 'update', '{"status": "open"}', now() - (hashtext(a.id::text || n) & 255) * interval '1 day', 'bench'
  FROM assignment_reminders.assignments a CROSS JOIN generate_series(1, 3) AS n;
INSERT INTO assignment_reminders.days_off (organization_id, first_day, last_day, created_at)
SELECT o.id, current_date - n * 30, current_date - n * 30, now() - interval '397 days'
  FROM assignment_reminders.organizations o CROSS JOIN generate_series(1, 12) AS n;
SELECT count(*) FROM assignment_reminders.repair_contact_dates();
RESET session_replication_role;
