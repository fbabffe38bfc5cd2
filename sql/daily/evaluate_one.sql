-- The facts of one assignment that its evaluation needs. $1: assignment. Index: primary keys.
SELECT a.status = 'open' AS is_open, a.last_contact_date, a.assigned_on,
       s.reminder_after_days, s.escalate_after_days,
       (now() AT TIME ZONE o.timezone)::date AS today,
       CASE WHEN r.anchor = coalesce(a.last_contact_date, a.assigned_on)::timestamp AT TIME ZONE 'UTC'
            THEN assignment_reminders.dispatched_at(r.status, r.skip_reason, r.sent_at, r.scheduled_for)
       END AS last_reminder_sent_at
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.reminder_type = 'contact-reminder'
 WHERE a.id = $1
