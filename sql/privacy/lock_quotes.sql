-- Locks what holds or quotes an address ($2) of a locked person ($1), whoever it is about, as far as nobody else holds it, and returns
-- all of it, and what is locked. Not where the address is another person's now ($3 and $4, pairwise: organization and address).
-- Also logs without an address, of reminders addressed to the person, that have a text.
-- Reads these tables whole, since texts have no index; send_logs_sent_once_key for the last; primary keys to lock.
WITH spared AS MATERIALIZED (
    SELECT s.organization_id, array_agg(s.address) AS addresses
      FROM unnest($3::uuid[], $4::text[]) AS s (organization_id, address)
     GROUP BY s.organization_id
), opted_out AS MATERIALIZED (
    SELECT u.id
      FROM assignment_reminders.users u
      LEFT JOIN spared s ON s.organization_id = u.organization_id
     WHERE u.id <> $1 AND u.contact_opt_out_reason LIKE '%@%'
       AND assignment_reminders.without_addresses(u.contact_opt_out_reason, $2, s.addresses) <> u.contact_opt_out_reason
), opted_out_locked AS MATERIALIZED (
    SELECT u.id FROM assignment_reminders.users u
     WHERE u.id = ANY (ARRAY(SELECT w.id FROM opted_out w)) FOR NO KEY UPDATE SKIP LOCKED
), correction AS MATERIALIZED (
    SELECT c.id
      FROM assignment_reminders.contact_corrections c
      LEFT JOIN spared s ON s.organization_id = c.organization_id
     WHERE (c.corrected_by LIKE '%@%' OR c.corrected_by_subject LIKE '%@%')
       AND (assignment_reminders.without_addresses(c.corrected_by, $2, s.addresses),
            assignment_reminders.without_addresses(c.corrected_by_subject, $2, s.addresses))
           IS DISTINCT FROM (c.corrected_by, c.corrected_by_subject)
), correction_locked AS MATERIALIZED (
    SELECT c.id FROM assignment_reminders.contact_corrections c
     WHERE c.id = ANY (ARRAY(SELECT w.id FROM correction w)) FOR NO KEY UPDATE SKIP LOCKED
), reminder AS MATERIALIZED (
    SELECT r.id
      FROM assignment_reminders.reminders r
      LEFT JOIN spared s ON s.organization_id = r.organization_id
     WHERE r.last_error LIKE '%@%' AND assignment_reminders.without_addresses(r.last_error, $2, s.addresses) <> r.last_error
        OR lower(r.claimed_email) = ANY ($2) AND lower(r.claimed_email) <> ALL (coalesce(s.addresses, '{}'))
), reminder_locked AS MATERIALIZED (
    SELECT r.id FROM assignment_reminders.reminders r
     WHERE r.id = ANY (ARRAY(SELECT w.id FROM reminder w)) FOR NO KEY UPDATE SKIP LOCKED
), log AS MATERIALIZED (
    SELECT l.id
      FROM assignment_reminders.send_logs l
      LEFT JOIN spared s ON s.organization_id = l.organization_id
     WHERE lower(l.to_email) = ANY ($2) AND lower(l.to_email) <> ALL (coalesce(s.addresses, '{}'))
        OR l.to_email LIKE '%@%' AND assignment_reminders.without_addresses(l.to_email, $2, s.addresses) <> l.to_email
        OR l.error LIKE '%@%' AND assignment_reminders.without_addresses(l.error, $2, s.addresses) <> l.error
        OR l.from_inbox LIKE '%@%' AND assignment_reminders.without_addresses(l.from_inbox, $2, s.addresses) <> l.from_inbox
     UNION
    SELECT l.id
      FROM (SELECT r.id FROM assignment_reminders.reminders r WHERE r.recipient_id = $1
             UNION
            SELECT r.id
              FROM assignment_reminders.assignments a
              JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.recipient_id IS NULL
             WHERE a.student_id = $1) AS r
      JOIN assignment_reminders.send_logs l ON l.reminder_id = r.id
     WHERE l.to_email IS NULL AND assignment_reminders.without_text(l.error) <> l.error
), log_locked AS MATERIALIZED (
    SELECT l.id FROM assignment_reminders.send_logs l
     WHERE l.id = ANY (ARRAY(SELECT w.id FROM log w)) FOR UPDATE SKIP LOCKED -- against lock_log.sql
), evaluation AS MATERIALIZED (
    SELECT e.id FROM assignment_reminders.evaluation_runs e
     WHERE e.error LIKE '%@%' AND assignment_reminders.without_addresses(e.error, $2, NULL) <> e.error
), evaluation_locked AS MATERIALIZED (
    SELECT e.id FROM assignment_reminders.evaluation_runs e
     WHERE e.id = ANY (ARRAY(SELECT w.id FROM evaluation w)) FOR NO KEY UPDATE SKIP LOCKED
)
SELECT 'users' AS name, w.id, w.id IN (SELECT l.id FROM opted_out_locked l) AS is_locked FROM opted_out w
 UNION ALL
SELECT 'contact_corrections', w.id, w.id IN (SELECT l.id FROM correction_locked l) FROM correction w
 UNION ALL
SELECT 'reminders', w.id, w.id IN (SELECT l.id FROM reminder_locked l) FROM reminder w
 UNION ALL
SELECT 'send_logs', w.id, w.id IN (SELECT l.id FROM log_locked l) FROM log w
 UNION ALL
SELECT 'evaluation_runs', w.id, w.id IN (SELECT l.id FROM evaluation_locked l) FROM evaluation w
