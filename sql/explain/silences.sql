-- Whether what was sent bounced, as far as that was told by a moment. Of a reminder that is gone, its assignment finds the logs.
-- Index: send_logs_sent_once_key; send_logs_deleted_idx.
CREATE FUNCTION assignment_reminders.was_returned(
    reminder_id uuid, sent_at timestamptz, moment timestamptz, assignment_id uuid, reminder_type text
) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH log AS (
        SELECT l.status, l.verdict, l.error FROM assignment_reminders.send_logs l
         WHERE l.reminder_id = was_returned.reminder_id AND l.created_at BETWEEN was_returned.sent_at AND was_returned.moment
         UNION ALL
        SELECT l.status, l.verdict, l.error FROM assignment_reminders.send_logs l
         WHERE l.assignment_id = was_returned.assignment_id AND l.reminder_id IS NULL AND l.reminder_type = was_returned.reminder_type
           AND l.created_at BETWEEN was_returned.sent_at AND was_returned.moment
    )
    -- A soft bounce without a code of RFC 5321 or 3463 that says "for good" may be a delay, after which it arrived.
    SELECT coalesce(bool_or(log.status IN ('bounced', 'rejected')
                            AND (log.verdict IS DISTINCT FROM 'soft' OR log.error ~ '(^|[^0-9.])5([0-9]{2}|\.[0-9]{1,3}\.[0-9]{1,3})([^0-9.]|$)'))
                    AND NOT bool_or(log.status = 'delivered'), false) FROM log
$$;
COMMENT ON FUNCTION assignment_reminders.was_returned(uuid, timestamptz, timestamptz, uuid, text) IS
    'Whether what a reminder sent at sent_at had bounced or been rejected by a moment, and was not delivered. What is only delayed (a soft bounce without a code for good, 5xx or 5.x.x) is not. Of a reminder that is gone, assignment_id and reminder_type tell what was logged (NULL: it is there).';

-- What becomes of a silence on a day, or (NULL) on that of as_of in its organization's time zone, by the rows that tell of it: those of now
-- (assignment_silences), or those of a moment (silence_as_of). It becomes part of the query that asks it. Index: none, it reads no table.
-- is_plain: nothing stops it, its mentor and coordinator can be written to, and it was not escalated.
CREATE FUNCTION assignment_reminders.silence_of(
    as_of timestamptz, day date, timezone text, assignment assignment_reminders.assignment_facts, settings assignment_reminders.settings_facts,
    is_held boolean, mentor assignment_reminders.person_facts, coordinator assignment_reminders.person_facts,
    fallback assignment_reminders.person_facts, reminder assignment_reminders.message_facts, escalation assignment_reminders.message_facts,
    escalation_has_come_back boolean, pauses assignment_reminders.stop_facts, leave assignment_reminders.stop_facts,
    days_off assignment_reminders.stop_facts
)
RETURNS TABLE (
    organization_id uuid, assignment_id uuid, title text, status text, follow_up boolean, has_settings boolean, is_held boolean, peer_mentor_id uuid,
    mentor_id uuid, mentor_name text, coordinator_id uuid, coordinator_name text, coordinator_unreachable text, facts assignment_reminders.silence_facts,
    is_plain boolean, reminder_sent_at timestamptz, escalation_status text, escalation_skip_reason text,
    escalation_sent_at timestamptz, escalation_has_come_back boolean, escalation_is_for_another boolean,
    timezone text, has_contact boolean, evaluation_hour integer, reminder assignment_reminders.message_facts,
    escalation assignment_reminders.message_facts, paused_causes text[], paused_reasons text[], off_reasons text[]
)
LANGUAGE sql STABLE
AS $$
    SELECT (assignment).organization_id, (assignment).id, (assignment).title, (assignment).status, (assignment).follow_up, (settings).are_there,
           silence_of.is_held, (assignment).peer_mentor_id,
           (mentor).id, (mentor).name, CASE WHEN told.is_fallback THEN (settings).fallback_coordinator_id ELSE (assignment).coordinator_id END,
           CASE WHEN told.is_fallback THEN (fallback).name ELSE (coordinator).name END,
           CASE WHEN told.is_fallback THEN fallback_is.unreachable ELSE coordinator_is.unreachable END,
           ROW(silence.since, local.today,
               CASE WHEN (leave).first_days IS NULL THEN (pauses).first_days
                    ELSE (pauses).first_days || ARRAY(SELECT greatest(l.first_day, (assignment).mentor_since) FROM unnest((leave).first_days) AS l (first_day)) END,
               CASE WHEN (leave).last_days IS NULL THEN (pauses).last_days ELSE (pauses).last_days || (leave).last_days END,
               mentor_is.unreachable,
               CASE WHEN of_this.is_reminder THEN (reminder).status END, (reminder).skip_reason,
               ((reminder).sent_at AT TIME ZONE silence_of.timezone)::date, ((reminder).scheduled_for AT TIME ZONE silence_of.timezone)::date,
               (settings).reminder_after_days, (settings).escalate_after_days, coalesce((settings).escalation_grace_days, 0),
               (settings).weekly_days_off, (days_off).first_days, (days_off).last_days, (settings).follow_up_from)::assignment_reminders.silence_facts,
           silence.since <= local.today AND (escalation).id IS NULL AND (pauses).first_days IS NULL AND (leave).first_days IS NULL
               AND ((reminder).sent_at > silence_of.as_of) IS NOT TRUE
               -- One from before the silence, as where the time zone changed since, is not of it.
               AND (of_this.is_reminder
                    AND (coalesce((reminder).sent_at, (reminder).scheduled_for) AT TIME ZONE silence_of.timezone)::date < silence.since) IS NOT TRUE
               AND mentor_is.unreachable IS NULL
               AND CASE WHEN told.is_fallback THEN fallback_is.unreachable ELSE coordinator_is.unreachable END IS NULL,
           CASE WHEN of_this.is_reminder THEN (reminder).sent_at END,
           CASE WHEN of_this.is_escalation THEN (escalation).status END, (escalation).skip_reason, (escalation).sent_at,
           CASE WHEN of_this.is_escalation AND (escalation).status = 'sent' THEN silence_of.escalation_has_come_back END,
           (escalation).recipient_id <> CASE WHEN told.is_fallback THEN (settings).fallback_coordinator_id ELSE (assignment).coordinator_id END,
           silence_of.timezone, (assignment).last_contact_date IS NOT NULL, (settings).evaluation_hour, silence_of.reminder, silence_of.escalation,
           CASE WHEN (leave).first_days IS NULL THEN (pauses).causes ELSE (pauses).causes || (leave).causes END,
           CASE WHEN (leave).first_days IS NULL THEN (pauses).reasons ELSE (pauses).reasons || (leave).reasons END,
           (days_off).reasons
      FROM (SELECT coalesce(silence_of.day, (silence_of.as_of AT TIME ZONE silence_of.timezone)::date) AS today) AS local
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.silent_since((assignment).last_contact_date, (assignment).assigned_on) AS since
           ) AS silence
     CROSS JOIN LATERAL (
           SELECT (reminder).anchor = assignment_reminders.silence_anchor(silence.since)
                      AND ((reminder).peer_mentor_id <> (assignment).peer_mentor_id) IS NOT TRUE AS is_reminder,
                  (escalation).anchor = assignment_reminders.silence_anchor(silence.since)
                      AND ((escalation).peer_mentor_id <> (assignment).peer_mentor_id) IS NOT TRUE AS is_escalation
           ) AS of_this
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                      'mentor', (mentor).is_opted_out, (mentor).has_address OR (settings).address_required IS FALSE,
                      assignment_reminders.is_muted((mentor).muted_types, assignment_reminders.reminder_type_of('remind'))) AS unreachable
           ) AS mentor_is
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                      'coordinator', (coordinator).is_opted_out, (coordinator).has_address OR (settings).address_required IS FALSE,
                      assignment_reminders.is_muted((coordinator).muted_types, assignment_reminders.reminder_type_of('escalate'))) AS unreachable
           ) AS coordinator_is
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                      'coordinator', (fallback).is_opted_out, (fallback).has_address OR (settings).address_required IS FALSE,
                      assignment_reminders.is_muted((fallback).muted_types, assignment_reminders.reminder_type_of('escalate'))) AS unreachable
           ) AS fallback_is
      -- As coordinator_to_tell says it of one.
     CROSS JOIN LATERAL (
           SELECT (settings).fallback_coordinator_id IS NOT NULL
                  AND assignment_reminders.goes_to_fallback(coordinator_is.unreachable, fallback_is.unreachable) AS is_fallback
           ) AS told
$$;
COMMENT ON FUNCTION assignment_reminders.silence_of(timestamptz, date, text, assignment_reminders.assignment_facts, assignment_reminders.settings_facts, boolean, assignment_reminders.person_facts, assignment_reminders.person_facts, assignment_reminders.person_facts, assignment_reminders.message_facts, assignment_reminders.message_facts, boolean, assignment_reminders.stop_facts, assignment_reminders.stop_facts, assignment_reminders.stop_facts) IS
    'What assignment_silences and silence_as_of ask: the facts that decide what becomes of a silence, by the rows that tell of it.';

-- Every assignment, with all that decides what becomes of its silence, as it stands. It becomes part of the query that asks it, which leaves out what
-- it does not want: of one assignment, it reads that.
-- Index: primary keys, reminders_assignment_type_key, assignment_pauses_assignment_idx, mentor_pauses_peer_mentor_idx, days_off_organization_idx for one;
-- of all, each table once.
CREATE FUNCTION assignment_reminders.assignment_silences(as_of timestamptz, day date)
RETURNS TABLE (
    organization_id uuid, assignment_id uuid, title text, status text, follow_up boolean, has_settings boolean, is_held boolean, peer_mentor_id uuid,
    mentor_id uuid, mentor_name text, coordinator_id uuid, coordinator_name text, coordinator_unreachable text, facts assignment_reminders.silence_facts,
    is_plain boolean, reminder_sent_at timestamptz, escalation_status text, escalation_skip_reason text,
    escalation_sent_at timestamptz, escalation_has_come_back boolean, escalation_is_for_another boolean,
    timezone text, has_contact boolean, evaluation_hour integer, reminder assignment_reminders.message_facts,
    escalation assignment_reminders.message_facts, paused_causes text[], paused_reasons text[], off_reasons text[]
)
LANGUAGE sql STABLE
AS $$
    SELECT silence.*
      FROM assignment_reminders.assignments a
      JOIN assignment_reminders.organizations o ON o.id = a.organization_id
      LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.organization_evaluations e ON e.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.user_preferences mentors ON mentors.user_id = mentor.id
      LEFT JOIN assignment_reminders.users coordinator ON coordinator.id = a.coordinator_id AND coordinator.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.user_preferences coordinators ON coordinators.user_id = coordinator.id
      LEFT JOIN assignment_reminders.users fallback ON fallback.id = s.fallback_coordinator_id AND fallback.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.user_preferences fallbacks ON fallbacks.user_id = fallback.id
      LEFT JOIN assignment_reminders.reminders r
        ON r.assignment_id = a.id AND r.reminder_type = assignment_reminders.reminder_type_of('remind')
      LEFT JOIN assignment_reminders.reminders x
        ON x.assignment_id = a.id AND x.reminder_type = assignment_reminders.reminder_type_of('escalate')
      LEFT JOIN (
           SELECT p.assignment_id, array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days,
                  array_agg(p.cause) AS causes, array_agg(p.reason) AS reasons
             FROM assignment_reminders.assignment_pauses p
             JOIN assignment_reminders.assignments paused ON paused.id = p.assignment_id
            -- One that was closed, and is open, was opened where nobody saw it.
            WHERE NOT (p.cause = 'closed' AND p.paused_until IS NULL AND paused.status = 'open')
            GROUP BY p.assignment_id
           ) AS pause ON pause.assignment_id = a.id
      LEFT JOIN (
           SELECT p.peer_mentor_id, array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days,
                  array_agg('leave'::text) AS causes, array_agg(p.reason) AS reasons
             FROM assignment_reminders.mentor_pauses p
            GROUP BY p.peer_mentor_id
           ) AS leave ON leave.peer_mentor_id = a.peer_mentor_id
      LEFT JOIN (
           SELECT d.organization_id, array_agg(d.first_day) AS first_days, array_agg(d.last_day) AS last_days, array_agg(d.reason) AS reasons
             FROM assignment_reminders.days_off d
            GROUP BY d.organization_id
           ) AS off ON off.organization_id = a.organization_id
      -- Next to none did, and these are looked up first.
      LEFT JOIN LATERAL (
           SELECT true AS may_be FROM assignment_reminders.send_logs l
            WHERE x.status = 'sent' AND l.reminder_id = x.id AND l.status IN ('bounced', 'rejected') LIMIT 1
           ) AS came_back ON true
     CROSS JOIN LATERAL assignment_reminders.silence_of(
           coalesce(assignment_silences.as_of, now()), assignment_silences.day, o.timezone::text,
           ROW(a.organization_id, a.id, a.title, a.status, a.follow_up, a.peer_mentor_id, a.mentor_since, a.coordinator_id, a.last_contact_date,
               a.assigned_on)::assignment_reminders.assignment_facts,
           ROW(s.organization_id IS NOT NULL, s.reminder_after_days, s.escalate_after_days, s.escalation_grace_days, s.weekly_days_off, s.follow_up_from,
               s.fallback_coordinator_id, s.evaluation_hour, s.address_required)::assignment_reminders.settings_facts,
           e.held_at IS NOT NULL AND e.released_at IS NULL,
           ROW(mentor.id, mentor.name, mentor.contact_opt_out, mentor.email IS NOT NULL, mentors.muted_types)::assignment_reminders.person_facts,
           ROW(coordinator.id, coordinator.name, coordinator.contact_opt_out, coordinator.email IS NOT NULL,
               coordinators.muted_types)::assignment_reminders.person_facts,
           ROW(fallback.id, fallback.name, fallback.contact_opt_out, fallback.email IS NOT NULL, fallbacks.muted_types)::assignment_reminders.person_facts,
           ROW(r.id, r.reminder_type, r.anchor, r.status, r.skip_reason, r.sent_at, r.scheduled_for, r.peer_mentor_id,
               r.recipient_id)::assignment_reminders.message_facts,
           ROW(x.id, x.reminder_type, x.anchor, x.status, x.skip_reason, x.sent_at, x.scheduled_for, x.peer_mentor_id,
               x.recipient_id)::assignment_reminders.message_facts,
           CASE WHEN x.status = 'sent' THEN came_back.may_be IS TRUE AND assignment_reminders.was_returned(x.id, x.sent_at, 'infinity', NULL, NULL) END,
           ROW(pause.first_days, pause.last_days, pause.causes, pause.reasons)::assignment_reminders.stop_facts,
           ROW(leave.first_days, leave.last_days, leave.causes, leave.reasons)::assignment_reminders.stop_facts,
           ROW(off.first_days, off.last_days, NULL, off.reasons)::assignment_reminders.stop_facts) AS silence
$$;
COMMENT ON FUNCTION assignment_reminders.assignment_silences(timestamptz, date) IS
    'What evaluate_assignment, assignment_outlooks and explain_assignment ask: each assignment with the facts that decide what becomes of its silence on a day, or (NULL) on that of as_of (NULL: now) in its organization''s time zone.';

-- What comes next of every silence that is followed up. src/rules/outlook.rs says what.
CREATE FUNCTION assignment_reminders.assignment_outlooks(as_of timestamptz DEFAULT now(), organization_id uuid DEFAULT NULL)
RETURNS TABLE (
    organization_id uuid, assignment_id uuid, title text, silent_since date, days_since integer, counted_days integer, peer_mentor_id uuid,
    peer_mentor_name text, coordinator_id uuid, coordinator_name text, last_reminder_sent_at timestamptz, state text, next_action text, next_on date,
    forgotten text, is_decided boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT f.organization_id, f.assignment_id, f.title, (f.facts).silent_since, (f.facts).as_of - (f.facts).silent_since, o.counted_days,
           f.peer_mentor_id, f.mentor_name, f.coordinator_id, f.coordinator_name, f.reminder_sent_at, o.state, o.next_action, o.next_on, o.forgotten,
           o.is_decided
      -- Twice, as in forgotten_assignments.
      FROM (SELECT s.* FROM assignment_reminders.assignment_silences(coalesce(assignment_outlooks.as_of, now()), NULL) AS s
             WHERE assignment_outlooks.organization_id IS NULL
             UNION ALL
            SELECT s.* FROM assignment_reminders.assignment_silences(coalesce(assignment_outlooks.as_of, now()), NULL) AS s
             WHERE s.organization_id = assignment_outlooks.organization_id) AS f
     CROSS JOIN LATERAL assignment_reminders.outlook_of(
           f.facts, f.coordinator_unreachable, f.escalation_status, f.escalation_skip_reason, f.escalation_has_come_back,
           f.escalation_is_for_another, f.is_held, f.has_settings) AS o
     WHERE f.status = 'open' AND f.follow_up
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole(
                         '{organizations,reminder_settings,organization_evaluations,days_off,assignments,assignment_pauses,peer_mentors,mentor_pauses,users,user_preferences,reminders,send_logs}',
                         assignment_outlooks.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.assignment_outlooks(timestamptz, uuid) IS
    'Read-only: of every open assignment that is followed up, of one organization or (NULL) all: how far its silence has got (silent, reminder_waits, reminded, escalation_waits, escalated), the next message and the day of it, if nothing changes, and why nobody will hear of it (NULL: somebody will).';
