-- The daily run as one statement written for exactly these rules and nothing else: the limit to measure against. It knows no
-- unreachable mentors that leave a trace, no failed reminders, no withdrawn ones that come back, and returns nothing.
INSERT INTO assignment_reminders.reminders AS r (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
SELECT assignment_reminders.time_ordered_id(), a.organization_id, a.id, e.recipient_id, e.reminder_type, e.anchor, %(as_of)s::timestamptz
  FROM assignment_reminders.organizations o
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
 CROSS JOIN LATERAL (SELECT (%(as_of)s::timestamptz AT TIME ZONE o.timezone)::date AS today) AS local
  JOIN assignment_reminders.assignments a
    ON a.organization_id = o.id AND a.status = 'open'
   AND coalesce(a.last_contact_date, a.assigned_on) BETWEEN '-infinity' AND local.today - s.reminder_after_days
  JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
  JOIN assignment_reminders.users u ON u.id = m.user_id AND u.email IS NOT NULL AND NOT u.contact_opt_out
  LEFT JOIN assignment_reminders.reminders sent
    ON sent.assignment_id = a.id AND sent.reminder_type = 'contact-reminder'
   AND sent.anchor = coalesce(a.last_contact_date, a.assigned_on)::timestamp AT TIME ZONE 'UTC'
 CROSS JOIN LATERAL (
       SELECT CASE WHEN escalates THEN a.coordinator_id ELSE m.user_id END AS recipient_id,
              CASE WHEN escalates THEN 'contact-escalation' ELSE 'contact-reminder' END AS reminder_type,
              coalesce(a.last_contact_date, a.assigned_on)::timestamp AT TIME ZONE 'UTC' AS anchor
         FROM (SELECT sent.status = 'sent' AND local.today - coalesce(a.last_contact_date, a.assigned_on) >= s.escalate_after_days) AS f (escalates)
       ) AS e
 WHERE sent.id IS NULL OR e.reminder_type = 'contact-escalation'
    ON CONFLICT (assignment_id, reminder_type) DO UPDATE
   SET recipient_id = excluded.recipient_id, anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
       status = 'pending', sent_at = NULL, attempts = 0
 WHERE r.anchor IS DISTINCT FROM excluded.anchor
