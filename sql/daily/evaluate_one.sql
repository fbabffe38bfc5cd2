-- What an assignment ($1) calls for, by the facts that runs decide by (evaluate_assignments.sql). $2: the day; where it is NULL, that of the moment $3
-- (NULL: now) in its organization's time zone. Index: primary keys, reminders_assignment_type_key, assignment_pauses_assignment_idx,
-- mentor_pauses_peer_mentor_idx and days_off_organization_idx.
SELECT a.status = 'open' AND a.follow_up AS is_followed_up, e.action, e.days_since
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.user_preferences mentors ON mentors.user_id = mentor.id
 CROSS JOIN LATERAL (SELECT assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS since) AS silence
  LEFT JOIN assignment_reminders.reminders r
    ON r.assignment_id = a.id AND r.reminder_type = assignment_reminders.reminder_type_of('remind')
 CROSS JOIN LATERAL (
       SELECT array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days
         FROM (SELECT p.paused_from, p.paused_until FROM assignment_reminders.assignment_pauses p
                -- One that was closed, and is open, was opened where nobody saw it.
                WHERE p.assignment_id = a.id AND NOT (p.cause = 'closed' AND p.paused_until IS NULL)
                UNION ALL
               SELECT greatest(p.paused_from, a.mentor_since), p.paused_until FROM assignment_reminders.mentor_pauses p
                WHERE p.peer_mentor_id = a.peer_mentor_id) AS p
       ) AS pause
 CROSS JOIN LATERAL (
       SELECT array_agg(d.first_day) AS first_days, array_agg(d.last_day) AS last_days
         FROM assignment_reminders.days_off d WHERE d.organization_id = o.id
       ) AS off
 CROSS JOIN LATERAL assignment_reminders.evaluate_silence(ROW(
       silence.since, coalesce($2, (coalesce($3, now()) AT TIME ZONE o.timezone)::date), pause.first_days, pause.last_days,
       assignment_reminders.unreachable_reason(
           'mentor', mentor.contact_opt_out, assignment_reminders.address_of(mentor.email, s.address_required) IS NOT NULL,
           assignment_reminders.is_muted(mentors.muted_types, assignment_reminders.reminder_type_of('remind'))),
       CASE WHEN r.anchor = assignment_reminders.silence_anchor(silence.since)
             AND (r.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE THEN r.status END, r.skip_reason,
       (r.sent_at AT TIME ZONE o.timezone)::date, (r.scheduled_for AT TIME ZONE o.timezone)::date,
       s.reminder_after_days, s.escalate_after_days, s.escalation_grace_days,
       s.weekly_days_off, off.first_days, off.last_days, s.follow_up_from)::assignment_reminders.silence_facts) AS e
 WHERE a.id = $1
