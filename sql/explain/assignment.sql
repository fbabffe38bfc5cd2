-- What explains an assignment ($1) at a moment ($2): the facts that runs decide by, what they decide, and the words for it. By what is known now, or ($3) by what
-- was known at a moment, of whose assignment ($4) it was. Index: those of assignment_silences and silence_as_of, for one.
SELECT (f.facts).*, f.organization_id, f.title, f.status, f.follow_up, f.has_settings, f.is_held, f.coordinator_unreachable, f.reminder_sent_at,
       f.escalation_status, f.escalation_skip_reason, f.mentor_id, f.peer_mentor_id, f.coordinator_id, f.has_contact, e.action, e.days_since, e.due_on,
       f.mentor_name, f.coordinator_name,
       f.escalation_has_come_back, f.escalation_is_for_another,
       (f.escalation_sent_at AT TIME ZONE f.timezone)::date AS escalated_on,
       f.is_turn, f.evaluation_hour, f.timezone, assignment_reminders.silence_anchor((f.facts).silent_since) AS anchor,
       assignment_reminders.reminder_type_of('remind') AS reminder, assignment_reminders.reminder_type_of('escalate') AS escalation,
       CASE WHEN enqueued.id IS NOT NULL THEN coalesce(enqueued.skip_reason, enqueued.status) END AS enqueued,
       enqueued.id IS NULL
           OR assignment_reminders.is_rearmed(
                  enqueued.reminder_type, enqueued.anchor, enqueued.status, enqueued.skip_reason,
                  assignment_reminders.silence_anchor((f.facts).silent_since),
                  CASE kind.addressee WHEN 'mentor' THEN (f.facts).mentor_unreachable ELSE f.coordinator_unreachable END,
                  enqueued.peer_mentor_id <> f.peer_mentor_id,
                  enqueued.recipient_id <> CASE kind.addressee WHEN 'mentor' THEN f.mentor_id ELSE f.coordinator_id END) AS is_free,
       f.paused_causes, f.paused_reasons, f.off_reasons
  FROM (SELECT now.*, coalesce(turn.is_due, false) AS is_turn
          FROM assignment_reminders.assignment_silences($2, NULL) AS now
          LEFT JOIN LATERAL (
               SELECT t.is_due FROM assignment_reminders.evaluation_turns($2) AS t WHERE t.organization_id = now.organization_id LIMIT 1
               ) AS turn ON true
         WHERE now.assignment_id = $1 AND $3::timestamptz IS NULL
         UNION ALL
        SELECT past.* FROM assignment_reminders.silence_as_of($1, $2, $3, $4) AS past WHERE $3 IS NOT NULL) AS f
 CROSS JOIN LATERAL assignment_reminders.evaluate_silence(f.facts) AS e
  LEFT JOIN assignment_reminders.reminder_kinds() AS kind ON kind.kind = e.action
  LEFT JOIN LATERAL (
       SELECT m.* FROM (VALUES (f.reminder), (f.escalation)) AS message (facts)
        CROSS JOIN LATERAL (SELECT (message.facts).*) AS m
        WHERE m.reminder_type = kind.reminder_type
       ) AS enqueued ON true
