-- What would go out about an assignment ($1), as messages like those of claim_digests(), without a claim: what its silence calls for now or next, to whoever would get it
-- now; and the next reminder of its due date, to the student. The token is nobody's. Index: primary keys; reminders_assignment_type_key, for one assignment.
WITH assignment AS (
    SELECT a.*, o.name AS organization_name, o.timezone AS organization_timezone, o.locale AS organization_locale, p.student_name, p.peer_mentor_name,
           e.days_since, e.silent_since, e.coordinator_name, coalesce(nullif(e.action, 'none'), e.next_action) AS action,
           CASE coalesce(nullif(e.action, 'none'), e.next_action) WHEN 'remind' THEN e.mentor_id WHEN 'escalate' THEN e.coordinator_id END AS told_id,
           e.coordinator_id AS told_coordinator_id, s.address_required
      -- 02000 where there is none.
      FROM assignment_reminders.explain_assignment($1) AS e
      JOIN assignment_reminders.assignments a ON a.id = $1
      JOIN assignment_reminders.organizations o ON o.id = a.organization_id
      LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
     CROSS JOIN LATERAL assignment_reminders.get_assignment_with_participants(a.id) AS p
), due AS (
    SELECT a.told_id AS recipient_id, kind.reminder_type, assignment_reminders.silence_anchor(a.silent_since) AS anchor, NULL::timestamptz AS due_at
      FROM assignment a JOIN assignment_reminders.reminder_kinds() AS kind ON kind.kind = a.action
     WHERE a.told_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM assignment_reminders.reminders r
                        WHERE r.assignment_id = a.id AND r.reminder_type = kind.reminder_type
                          AND r.anchor = assignment_reminders.silence_anchor(a.silent_since) AND r.status IN ('sent', 'failed'))
     UNION ALL
    SELECT a.student_id, assignment_reminders.due_reminder_type(max(due_offset)), a.due_at, a.due_at
      FROM assignment a
      JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
     CROSS JOIN LATERAL unnest(s.due_offsets) AS due_offset
     WHERE a.due_at > now() AND a.status = 'open'
       AND NOT EXISTS (SELECT FROM assignment_reminders.reminders r
                        WHERE r.assignment_id = a.id AND r.reminder_type = ANY (assignment_reminders.due_reminder_types(due_offset))
                          AND r.anchor = a.due_at AND r.status <> 'pending')
     GROUP BY a.student_id, a.due_at
)
SELECT jsonb_build_object(
           'claim_id', '00000000-0000-0000-0000-000000000000', 'claimed_until', now(), 'idempotency_key', 'preview',
           'organization_id', a.organization_id, 'organization_name', a.organization_name,
           'recipient_id', due.recipient_id, 'recipient_email', recipient.email, 'recipient_name', recipient.name,
           'recipient_timezone', coalesce(recipient.timezone, a.organization_timezone), 'recipient_locale', coalesce(recipient.locale, a.organization_locale),
           'unsubscribe_token', 'preview', 'reminder_ids', '[]'::jsonb,
           'items', jsonb_build_array(jsonb_build_object(
               'reminder_id', '00000000-0000-0000-0000-000000000000', 'reminder_type', due.reminder_type, 'assignment_id', a.id, 'assignment_title', a.title,
               'metadata', a.metadata, 'student_name', a.student_name, 'peer_mentor_name', a.peer_mentor_name,
               'coordinator_name', a.coordinator_name, 'coordinator_email', coordinator.email,
               'last_contact_date', a.last_contact_date, 'days_since', a.days_since, 'anchor', due.anchor, 'due_at', due.due_at,
               'due_at_local', due.due_at AT TIME ZONE coalesce(recipient.timezone, a.organization_timezone),
               'reminded_name', CASE WHEN reminded.status = 'sent' THEN mentor.name END,
               'reminded_at', CASE WHEN reminded.status = 'sent' THEN reminded.sent_at END,
               'reminded_reason', CASE reminded.status WHEN 'failed' THEN 'failed' WHEN 'skipped' THEN reminded.skip_reason
                                                       ELSE CASE WHEN reminded.status IS NULL OR a.peer_mentor_id IS NULL
                                                                 THEN mentor_now.unreachable_reason END END))) AS message
  FROM due CROSS JOIN assignment a
  LEFT JOIN assignment_reminders.users recipient ON recipient.id = due.recipient_id AND recipient.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.users coordinator ON coordinator.id = a.told_coordinator_id AND coordinator.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.reminders reminded ON reminded.assignment_id = a.id AND reminded.anchor = due.anchor AND a.action = 'escalate'
       AND reminded.reminder_type = assignment_reminders.reminder_type_of('remind') AND due.due_at IS NULL
  LEFT JOIN assignment_reminders.users mentor ON mentor.id = reminded.recipient_id AND mentor.organization_id = a.organization_id
 CROSS JOIN LATERAL (
       SELECT assignment_reminders.unreachable_reason(
                  'mentor', u.contact_opt_out, assignment_reminders.address_of(u.email, a.address_required) IS NOT NULL,
                  assignment_reminders.is_muted(p.muted_types, assignment_reminders.reminder_type_of('remind'))) AS unreachable_reason
         FROM (VALUES (a.peer_mentor_id)) AS now (peer_mentor_id)
         LEFT JOIN assignment_reminders.peer_mentors m ON m.id = now.peer_mentor_id AND m.organization_id = a.organization_id
         LEFT JOIN assignment_reminders.users u ON u.id = m.user_id AND u.organization_id = a.organization_id
         LEFT JOIN assignment_reminders.user_preferences p ON p.user_id = u.id
       ) AS mentor_now
 ORDER BY due.due_at NULLS FIRST
