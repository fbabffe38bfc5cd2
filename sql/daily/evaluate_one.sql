-- What one assignment calls for, by the facts that runs decide by. $1: assignment, $2: the day, or NULL for today in its
-- organization's time zone. Index: primary keys and reminders_assignment_type_key.
SELECT a.status = 'open' AS is_open, e.action, e.days_since
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
 CROSS JOIN LATERAL assignment_reminders.follow_up_facts(
       a.organization_id, a.id, a.peer_mentor_id,
       assignment_reminders.silence_anchor(assignment_reminders.silent_since(a.last_contact_date, a.assigned_on)), now()) AS facts
 CROSS JOIN LATERAL assignment_reminders.evaluate_assignment(
       a.last_contact_date, a.assigned_on, facts.reminded_at, s.reminder_after_days, s.escalate_after_days,
       coalesce($2, (now() AT TIME ZONE o.timezone)::date)) AS e
 WHERE a.id = $1
