-- What was sent, a line for each message: to whom, by whom, and of what.
SELECT json_build_object(
           'message_id', l.message_id, 'organization_id', o.id, 'organization', o.name, 'email', u.email, 'name', u.name, 'locale', o.locale,
           'token', (SELECT assignment_reminders.unsubscribe_token(u.id)),
           'types', json_agg(r.reminder_type ORDER BY r.reminder_type),
           'titles', coalesce(json_agg(a.title) FILTER (WHERE a.title IS NOT NULL), '[]'))
  FROM assignment_reminders.send_logs l
  JOIN assignment_reminders.reminders r ON r.id = l.reminder_id
  LEFT JOIN assignment_reminders.assignments a ON a.id = r.assignment_id
  -- Of due dates, the student is reminded.
  JOIN assignment_reminders.users u ON u.id = coalesce(r.recipient_id, a.student_id)
  JOIN assignment_reminders.organizations o ON o.id = r.organization_id
 WHERE l.status = 'queued'
 GROUP BY l.message_id, o.id, o.name, u.id, u.email, u.name, o.locale
