-- What explains an assignment ($1) at a moment ($2): the facts that runs decide by, what they decide, and the words for it.
-- Index: those of assignment_silences, for one; days_off_organization_idx.
SELECT (f.facts).*, f.organization_id, f.title, f.status, f.follow_up, f.has_settings, f.is_held, f.coordinator_unreachable, f.reminder_sent_at,
       f.escalation_status, f.escalation_skip_reason, f.mentor_id, f.coordinator_id, a.last_contact_date IS NOT NULL AS has_contact, e.action, e.days_since, e.due_on,
       f.mentor_name, f.coordinator_name,
       f.escalation_has_come_back, f.escalation_is_for_another,
       (f.escalation_sent_at AT TIME ZONE t.timezone)::date AS escalated_on,
       coalesce(t.is_due, false) AS is_turn, s.evaluation_hour,
       CASE WHEN enqueued.id IS NOT NULL THEN coalesce(enqueued.skip_reason, enqueued.status) END AS enqueued,
       enqueued.id IS NULL
           OR assignment_reminders.is_rearmed(
                  enqueued.reminder_type, enqueued.anchor, enqueued.status, enqueued.skip_reason,
                  assignment_reminders.silence_anchor((f.facts).silent_since),
                  CASE kind.addressee WHEN 'mentor' THEN (f.facts).mentor_unreachable ELSE f.coordinator_unreachable END,
                  enqueued.peer_mentor_id <> f.peer_mentor_id,
                  enqueued.recipient_id <> CASE kind.addressee WHEN 'mentor' THEN f.mentor_id ELSE f.coordinator_id END) AS is_free,
       stop.first_days AS stop_first_days, stop.last_days AS stop_last_days, stop.causes AS stop_causes, stop.reasons AS stop_reasons
  FROM assignment_reminders.assignment_silences($2, NULL) AS f
  JOIN assignment_reminders.assignments a ON a.id = f.assignment_id
 CROSS JOIN LATERAL assignment_reminders.evaluate_silence(f.facts) AS e
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = f.organization_id
  LEFT JOIN LATERAL (
       SELECT t.* FROM assignment_reminders.evaluation_turns($2) AS t WHERE t.organization_id = f.organization_id LIMIT 1
       ) AS t ON true
  LEFT JOIN assignment_reminders.reminder_kinds() AS kind ON kind.kind = e.action
  LEFT JOIN assignment_reminders.reminders enqueued ON enqueued.assignment_id = f.assignment_id AND enqueued.reminder_type = kind.reminder_type
  LEFT JOIN LATERAL (
       SELECT array_agg(stop.first_day ORDER BY stop.rank, stop.first_day) AS first_days,
              array_agg(stop.last_day ORDER BY stop.rank, stop.first_day) AS last_days,
              array_agg(stop.cause ORDER BY stop.rank, stop.first_day) AS causes,
              array_agg(stop.reason ORDER BY stop.rank, stop.first_day) AS reasons
         FROM (SELECT 1 AS rank, d.first_day, d.last_day, 'day_off' AS cause, d.reason
                 FROM assignment_reminders.days_off d WHERE d.organization_id = f.organization_id
                UNION ALL
               SELECT 2, p.paused_from, coalesce(p.paused_until, 'infinity'), p.cause, p.reason
                 FROM assignment_reminders.assignment_pauses p
                WHERE p.assignment_id = f.assignment_id AND NOT (p.cause = 'closed' AND p.paused_until IS NULL AND f.status = 'open')
                UNION ALL
               SELECT 3, greatest(p.paused_from, a.mentor_since), coalesce(p.paused_until, 'infinity'), 'leave', p.reason
                 FROM assignment_reminders.mentor_pauses p WHERE p.peer_mentor_id = f.peer_mentor_id) AS stop
       ) AS stop ON true
 WHERE f.assignment_id = $1
