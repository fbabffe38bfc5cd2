-- What the outbox held of assignments and a type at a moment: what was last noted or logged of each. Where that is gone, or was never, what stands
-- there now tells, or what was noted next. None whose recipient was gone: it went with them.
-- Indexes, once for each assignment: reminder_events_assignment_idx, reminders_assignment_type_key, send_logs_sent_once_key; of a reminder that is
-- gone, send_logs_deleted_idx.
CREATE FUNCTION assignment_reminders.messages_as_of(moment timestamptz, organization_id uuid, assignment_ids uuid[], reminder_type text)
RETURNS TABLE (assignment_id uuid, message assignment_reminders.message_facts)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH held AS MATERIALIZED (
        SELECT of.assignment_id, told.*
          FROM unnest(messages_as_of.assignment_ids) AS of (assignment_id)
         CROSS JOIN LATERAL (
           WITH noted AS MATERIALIZED (
               SELECT e.reminder_id, e.event, e.anchor, e.episode, e.recipient_id, e.peer_mentor_id, coalesce(e.as_of, e.happened_at) AS scheduled_for,
                      CASE e.event WHEN 'enqueued' THEN 'pending' WHEN 're-armed' THEN 'pending' WHEN 're-addressed' THEN NULL ELSE 'skipped' END AS status, e.reason,
                      e.happened_at, e.number
                 FROM assignment_reminders.reminder_events e
                WHERE e.assignment_id = of.assignment_id AND e.reminder_type = messages_as_of.reminder_type
           ), there AS MATERIALIZED (
               SELECT r.* FROM assignment_reminders.reminders r
                WHERE r.assignment_id = of.assignment_id AND r.reminder_type = messages_as_of.reminder_type
           ), last AS MATERIALIZED (
               SELECT n.* FROM noted n
                WHERE n.happened_at <= messages_as_of.moment AND n.status IS NOT NULL ORDER BY n.happened_at DESC, n.number DESC LIMIT 1
           ), addressed AS MATERIALIZED (
               -- To whom it went, also where that was told later.
               SELECT n.reminder_id, n.recipient_id, n.peer_mentor_id FROM noted n
                WHERE n.happened_at <= messages_as_of.moment ORDER BY n.happened_at DESC, n.number DESC LIMIT 1
           ), logged AS MATERIALIZED (
               SELECT l.reminder_id, l.anchor, l.episode, l.status, l.created_at
                 FROM assignment_reminders.send_logs l
                WHERE l.reminder_id IN (SELECT n.reminder_id FROM noted n UNION SELECT t.id FROM there t)
                  AND l.created_at <= messages_as_of.moment AND (l.status = 'queued' OR l.given_up)
                UNION ALL
               -- Of which of several that are gone, is not known: when it was tells.
               SELECT last.reminder_id, l.anchor, NULL, l.status, l.created_at
                 FROM last
                 JOIN assignment_reminders.send_logs l
                   ON l.assignment_id = of.assignment_id AND l.reminder_id IS NULL AND l.reminder_type = messages_as_of.reminder_type
                WHERE last.reminder_id NOT IN (SELECT t.id FROM there t)
                  AND l.created_at <= messages_as_of.moment
                  AND (l.status = 'queued' OR l.given_up)
           ), told AS (
               SELECT last.reminder_id, last.anchor, last.status, last.reason, NULL::timestamptz AS sent_at, last.scheduled_for, last.happened_at AS at
                 FROM last
                UNION ALL
               -- What is logged of an episode comes after what was noted of it, and of those before, whenever its transaction began.
               SELECT l.reminder_id, l.anchor, CASE l.status WHEN 'queued' THEN 'sent' ELSE 'failed' END, NULL,
                      CASE l.status WHEN 'queued' THEN l.created_at END, coalesce(last.scheduled_for, l.created_at),
                      CASE WHEN l.episode >= last.episode THEN greatest(l.created_at, last.happened_at + interval '1 microsecond') ELSE l.created_at END
                 FROM logged l
                 LEFT JOIN last ON last.reminder_id = l.reminder_id
                UNION ALL
               SELECT t.id, t.anchor, CASE WHEN t.status = 'skipped' THEN 'skipped' ELSE 'pending' END, CASE t.status WHEN 'skipped' THEN t.skip_reason END, NULL,
                      t.scheduled_for, t.created_at
                 FROM there t
                WHERE NOT EXISTS (SELECT FROM noted) AND t.created_at <= messages_as_of.moment
                UNION ALL
               -- Of what was there before the history began, or was noted before it was pruned, what came next tells: it waited until then.
               SELECT next.reminder_id, next.anchor, 'pending', NULL, NULL, t.scheduled_for, t.created_at
                 FROM (SELECT * FROM noted n WHERE n.happened_at > messages_as_of.moment ORDER BY n.happened_at, n.number LIMIT 1) AS next
                 JOIN there t ON t.id = next.reminder_id
                WHERE NOT EXISTS (SELECT FROM last) AND t.created_at <= messages_as_of.moment AND next.event <> 're-armed'
                UNION ALL
               -- What was sent or given up, and is not logged any more, or was never.
               SELECT t.id, t.anchor, t.status, NULL, t.sent_at, t.scheduled_for, coalesce(t.sent_at, t.updated_at)
                 FROM there t
                WHERE t.status IN ('sent', 'failed') AND coalesce(t.sent_at, t.updated_at) <= messages_as_of.moment
                  AND NOT EXISTS (SELECT FROM logged l WHERE l.reminder_id = t.id AND l.anchor = t.anchor)
           )
           SELECT t.reminder_id, t.anchor, t.status, t.reason, t.sent_at, t.scheduled_for, whom.peer_mentor_id, whom.recipient_id
             FROM (SELECT * FROM told ORDER BY told.at DESC LIMIT 1) AS t
             LEFT JOIN LATERAL (
                  SELECT a.peer_mentor_id, a.recipient_id FROM addressed a WHERE a.reminder_id = t.reminder_id
                   UNION ALL
                  SELECT r.peer_mentor_id, r.recipient_id FROM there r WHERE r.id = t.reminder_id AND NOT EXISTS (SELECT FROM addressed)
                  ) AS whom ON true
               ) AS told
    ), person AS MATERIALIZED (
        SELECT u.row_id
          FROM assignment_reminders.rows_as_of(
                   'users', messages_as_of.moment, messages_as_of.organization_id,
                   ARRAY(SELECT DISTINCT h.recipient_id FROM held h WHERE h.recipient_id IS NOT NULL)) AS u
    )
    SELECT h.assignment_id,
           ROW(h.reminder_id, messages_as_of.reminder_type, h.anchor, h.status, h.reason, h.sent_at, h.scheduled_for, h.peer_mentor_id,
               h.recipient_id)::assignment_reminders.message_facts
      FROM held h
     WHERE h.recipient_id IS NULL OR h.recipient_id IN (SELECT p.row_id FROM person p)
$$;
COMMENT ON FUNCTION assignment_reminders.messages_as_of(timestamptz, uuid, uuid[], text) IS
    'What the outbox held of assignments of an organization and a type of reminder at a moment (silence_as_of and simulate_follow_ups ask it): what reminder_events and send_logs last told of each. No row: nothing.';

-- A person at a moment, with what they had muted.
CREATE FUNCTION assignment_reminders.person_as_of(moment timestamptz, organization_id uuid, user_id uuid) RETURNS SETOF assignment_reminders.person_facts
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT person.id, person.name::text, person.contact_opt_out, person.email IS NOT NULL,
           (SELECT (jsonb_populate_record(NULL::assignment_reminders.user_preferences, p.row_version)).muted_types
              FROM assignment_reminders.rows_as_of('user_preferences', person_as_of.moment, person_as_of.organization_id, ARRAY[person_as_of.user_id]) AS p)
      FROM assignment_reminders.rows_as_of('users', person_as_of.moment, person_as_of.organization_id, ARRAY[person_as_of.user_id]) AS u
     CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.users, u.row_version) AS person
$$;
COMMENT ON FUNCTION assignment_reminders.person_as_of(timestamptz, uuid, uuid) IS
    'A person at a moment, as silence_as_of asks. No row: there was none.';

-- Of one assignment what assignment_silences tells of it now, by what was known at a moment: every row as it stood then. And whether it would have been
-- its organization's turn in a run at as_of. A run at which it was its turn is one that came since its hour: the last of all.
-- Indexes: those of rows_as_of, contact_dates_as_of and messages_as_of; assignment_pauses_assignment_idx, mentor_pauses_peer_mentor_idx,
-- row_history_belongs_to_idx, reminder_events_held_idx. Of one assignment no table is read whole, which the planner would where it does not know of which table's
-- history it asks.
CREATE FUNCTION assignment_reminders.silence_as_of(assignment_id uuid, as_of timestamptz, moment timestamptz, organization_id uuid)
RETURNS TABLE (
    organization_id uuid, assignment_id uuid, title text, status text, follow_up boolean, has_settings boolean, is_held boolean, peer_mentor_id uuid,
    mentor_id uuid, mentor_name text, coordinator_id uuid, coordinator_name text, coordinator_unreachable text, facts assignment_reminders.silence_facts,
    is_plain boolean, reminder_sent_at timestamptz, escalation_status text, escalation_skip_reason text,
    escalation_sent_at timestamptz, escalation_has_come_back boolean, escalation_is_for_another boolean,
    timezone text, has_contact boolean, evaluation_hour integer, reminder assignment_reminders.message_facts,
    escalation assignment_reminders.message_facts, paused_causes text[], paused_reasons text[], off_reasons text[], is_turn boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off
AS $$
    SELECT silence.*,
           s.organization_id IS NOT NULL AND assignment_reminders.is_evaluation_due(
               silence_as_of.as_of, (local.today + hour.of_day) AT TIME ZONE o.timezone, (local.today - 1 + hour.of_day) AT TIME ZONE o.timezone,
               coalesce(before.runs[1], o.created_at), before.runs, hold.event IS NOT DISTINCT FROM 'released')
      FROM assignment_reminders.rows_as_of('assignments', silence_as_of.moment, silence_as_of.organization_id, ARRAY[silence_as_of.assignment_id]) AS a_row
     CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.assignments, a_row.row_version) AS a
     CROSS JOIN LATERAL assignment_reminders.rows_as_of('organizations', silence_as_of.moment, a.organization_id, ARRAY[a.organization_id]) AS o_row
     CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.organizations, o_row.row_version) AS o
      LEFT JOIN LATERAL assignment_reminders.contact_dates_as_of(silence_as_of.moment, a.organization_id, ARRAY[a.id]) AS contact ON true
      LEFT JOIN LATERAL assignment_reminders.rows_as_of('reminder_settings', silence_as_of.moment, a.organization_id, ARRAY[a.organization_id]) AS s_row
        ON true
     CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.reminder_settings, s_row.row_version) AS s
      LEFT JOIN LATERAL assignment_reminders.rows_as_of('peer_mentors', silence_as_of.moment, a.organization_id, ARRAY[a.peer_mentor_id]) AS m ON true
      LEFT JOIN LATERAL assignment_reminders.person_as_of(silence_as_of.moment, a.organization_id, (m.row_version ->> 'user_id')::uuid) AS mentor ON true
      LEFT JOIN LATERAL assignment_reminders.person_as_of(silence_as_of.moment, a.organization_id, a.coordinator_id) AS coordinator ON true
      LEFT JOIN LATERAL assignment_reminders.person_as_of(silence_as_of.moment, a.organization_id, s.fallback_coordinator_id) AS fallback ON true
      LEFT JOIN LATERAL assignment_reminders.messages_as_of(
                    silence_as_of.moment, a.organization_id, ARRAY[a.id], assignment_reminders.reminder_type_of('remind')) AS r ON true
      LEFT JOIN LATERAL assignment_reminders.messages_as_of(
                    silence_as_of.moment, a.organization_id, ARRAY[a.id], assignment_reminders.reminder_type_of('escalate')) AS x ON true
      -- Where nothing that was noted before is there any more, what came next tells, or what is so now.
     CROSS JOIN LATERAL (
           SELECT coalesce(
                  (SELECT e.event FROM assignment_reminders.reminder_events e
                    WHERE e.organization_id = a.organization_id AND e.reminder_id IS NULL AND e.happened_at <= silence_as_of.moment
                    ORDER BY e.happened_at DESC, e.number DESC LIMIT 1),
                  (SELECT CASE WHEN e.event <> 'held' THEN 'held' END FROM assignment_reminders.reminder_events e
                    WHERE e.organization_id = a.organization_id AND e.reminder_id IS NULL AND e.happened_at > silence_as_of.moment
                    ORDER BY e.happened_at, e.number LIMIT 1),
                  (SELECT CASE WHEN v.released_at <= silence_as_of.moment THEN 'released' ELSE 'held' END
                     FROM assignment_reminders.organization_evaluations v
                    WHERE v.organization_id = a.organization_id AND v.held_at <= silence_as_of.moment)) AS event
           ) AS hold
     CROSS JOIN LATERAL (
           SELECT array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days,
                  array_agg(p.cause) AS causes, array_agg(p.reason) AS reasons
             FROM assignment_reminders.rows_as_of(
                      'assignment_pauses', silence_as_of.moment, a.organization_id,
                      ARRAY(SELECT p.id FROM assignment_reminders.assignment_pauses p WHERE p.assignment_id = a.id
                             UNION
                            SELECT h.row_id FROM assignment_reminders.row_history h
                             WHERE h.belongs_to = a.id AND h.table_name = 'assignment_pauses')) AS p_row
            CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.assignment_pauses, p_row.row_version) AS p
            WHERE p.assignment_id = a.id AND NOT (p.cause = 'closed' AND p.paused_until IS NULL AND a.status = 'open')
           ) AS pause
     CROSS JOIN LATERAL (
           SELECT array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days,
                  array_agg('leave'::text) AS causes, array_agg(p.reason) AS reasons
             FROM assignment_reminders.rows_as_of(
                      'mentor_pauses', silence_as_of.moment, a.organization_id,
                      ARRAY(SELECT p.id FROM assignment_reminders.mentor_pauses p WHERE p.peer_mentor_id = a.peer_mentor_id
                             UNION
                            SELECT h.row_id FROM assignment_reminders.row_history h
                             WHERE h.belongs_to = a.peer_mentor_id AND h.table_name = 'mentor_pauses')) AS p_row
            CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.mentor_pauses, p_row.row_version) AS p
            WHERE p.peer_mentor_id = a.peer_mentor_id
           ) AS leave
     CROSS JOIN LATERAL (
           SELECT array_agg(d.first_day) AS first_days, array_agg(d.last_day) AS last_days, array_agg(d.reason) AS reasons
             FROM assignment_reminders.rows_as_of('days_off', silence_as_of.moment, a.organization_id) AS d_row
            CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.days_off, d_row.row_version) AS d
           ) AS off
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.was_returned(
                      (x.message).id, (x.message).sent_at, silence_as_of.moment, gone.assignment_id, (x.message).reminder_type) AS is_so
             FROM (SELECT CASE WHEN NOT EXISTS (SELECT FROM assignment_reminders.reminders r WHERE r.id = (x.message).id) THEN a.id END
                  ) AS gone (assignment_id)
            WHERE (x.message).status = 'sent'
            UNION ALL
           SELECT NULL WHERE (x.message).status IS DISTINCT FROM 'sent'
           ) AS came_back
     CROSS JOIN LATERAL (SELECT (silence_as_of.as_of AT TIME ZONE o.timezone)::date AS today) AS local
     CROSS JOIN LATERAL (SELECT make_time(s.evaluation_hour, 0, 0) AS of_day) AS hour
     CROSS JOIN LATERAL (SELECT assignment_reminders.last_runs(least(silence_as_of.as_of, silence_as_of.moment)) AS runs) AS before
     CROSS JOIN LATERAL assignment_reminders.silence_of(
           silence_as_of.as_of, NULL, o.timezone::text,
           ROW(a.organization_id, a.id, a.title, a.status, a.follow_up, a.peer_mentor_id, a.mentor_since, a.coordinator_id, contact.last_contact_date,
               a.assigned_on)::assignment_reminders.assignment_facts,
           ROW(s.organization_id IS NOT NULL, s.reminder_after_days, s.escalate_after_days, s.escalation_grace_days, s.weekly_days_off, s.follow_up_from,
               s.fallback_coordinator_id, s.evaluation_hour, s.address_required)::assignment_reminders.settings_facts,
           hold.event IS NOT DISTINCT FROM 'held',
           mentor, coordinator, fallback, r.message, x.message,
           came_back.is_so,
           ROW(pause.first_days, pause.last_days, pause.causes, pause.reasons)::assignment_reminders.stop_facts,
           ROW(leave.first_days, leave.last_days, leave.causes, leave.reasons)::assignment_reminders.stop_facts,
           ROW(off.first_days, off.last_days, NULL, off.reasons)::assignment_reminders.stop_facts) AS silence
$$;
COMMENT ON FUNCTION assignment_reminders.silence_as_of(uuid, timestamptz, timestamptz, uuid) IS
    'What explain_assignment asks of the past: one assignment of an organization with the facts that decide what becomes of its silence at as_of, by what was known at a moment; and whether it is its organization''s turn in a run. No row: it was not there. 22023 for a moment before the history begins.';
