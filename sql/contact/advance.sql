-- Moves the contact dates of locked assignments forward to the inserted activities' dates, and withdraws the follow-ups
-- that this contact answers. Rows whose date does not advance are not written. Returns how many advanced.
-- Index: assignments_pkey and reminders_assignment_type_key, once per assignment.
WITH contact AS (
    SELECT n.assignment_id, max((n.occurred_at AT TIME ZONE o.timezone)::date) AS contact_date
      FROM new_rows n
      JOIN assignment_reminders.organizations o ON o.id = n.organization_id
     WHERE n.overruled_by IS NULL
     GROUP BY n.assignment_id
), advanced AS (
    UPDATE assignment_reminders.assignments a
       SET last_contact_date = c.contact_date, updated_at = now()
      FROM contact c
     WHERE a.id = c.assignment_id
       AND (a.last_contact_date IS NULL OR a.last_contact_date < c.contact_date)
    RETURNING a.id
), answered AS (
    SELECT r.id
      FROM advanced
      JOIN assignment_reminders.reminders r
        ON r.assignment_id = advanced.id
       AND r.reminder_type IN ('contact-reminder', 'contact-escalation')
     WHERE r.status = 'pending'
     ORDER BY r.assignment_id, r.reminder_type
       FOR NO KEY UPDATE OF r
), withdrawn AS (
    UPDATE assignment_reminders.reminders r
       SET status = 'skipped', skip_reason = 'contacted', claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM answered
     WHERE r.id = answered.id
)
SELECT count(*) FROM advanced
