-- Whether a message that was sent came back, and whoever should have got it is not written to any more. Index: users_pkey, send_logs_sent_once_key.
CREATE FUNCTION assignment_reminders.has_come_back(reminder_id uuid, sent_at timestamptz, recipient_id uuid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.contact_opt_out
           AND EXISTS (SELECT FROM assignment_reminders.send_logs l
                        WHERE l.reminder_id = has_come_back.reminder_id AND l.created_at >= has_come_back.sent_at
                          AND l.status IN ('bounced', 'rejected'))
           AND NOT EXISTS (SELECT FROM assignment_reminders.send_logs l
                            WHERE l.reminder_id = has_come_back.reminder_id AND l.created_at >= has_come_back.sent_at
                              AND l.status = 'delivered')
      FROM assignment_reminders.users u WHERE u.id = has_come_back.recipient_id
$$;
COMMENT ON FUNCTION assignment_reminders.has_come_back(uuid, timestamptz, uuid) IS
    'Whether what a reminder sent at sent_at bounced or was rejected, and its recipient is not written to any more. NULL where there is no such person.';

-- Every assignment, with all that decides what becomes of its silence on a day, or (NULL) on that of as_of in its organization's time zone; with the outbox as
-- it stands. is_plain: nothing stops it, its mentor and coordinator can be written to, and it was not escalated. It becomes part of the query that asks it, which leaves out what it does not want: of one assignment, it reads that.
-- Index: primary keys, reminders_assignment_type_key, assignment_pauses_assignment_idx, mentor_pauses_peer_mentor_idx, days_off_organization_idx for one;
-- of all, each table once.
CREATE FUNCTION assignment_reminders.assignment_silences(as_of timestamptz, day date)
RETURNS TABLE (
    organization_id uuid, assignment_id uuid, title text, status text, follow_up boolean, has_settings boolean, is_held boolean, peer_mentor_id uuid,
    mentor_id uuid, mentor_name text, coordinator_id uuid, coordinator_name text, coordinator_unreachable text, facts assignment_reminders.silence_facts,
    is_plain boolean, reminder_sent_at timestamptz, escalation_status text, escalation_skip_reason text,
    escalation_sent_at timestamptz, escalation_has_come_back boolean, escalation_is_for_another boolean
)
LANGUAGE sql STABLE
AS $$
    SELECT a.organization_id, a.id, a.title::text, a.status::text, a.follow_up, s.organization_id IS NOT NULL, e.held_at IS NOT NULL AND e.released_at IS NULL, a.peer_mentor_id,
           mentor.id, mentor.name::text, CASE WHEN told.is_fallback THEN s.fallback_coordinator_id ELSE a.coordinator_id END,
           CASE WHEN told.is_fallback THEN fallback.name ELSE coordinator.name END::text,
           CASE WHEN told.is_fallback THEN fallback_is.unreachable ELSE coordinator_is.unreachable END,
           ROW(silence.since, local.today,
               CASE WHEN leave.first_days IS NULL THEN pause.first_days
                    ELSE pause.first_days || ARRAY(SELECT greatest(l.first_day, a.mentor_since) FROM unnest(leave.first_days) AS l (first_day)) END,
               CASE WHEN leave.last_days IS NULL THEN pause.last_days ELSE pause.last_days || leave.last_days END,
               mentor_is.unreachable,
               CASE WHEN of_this.reminder THEN r.status END, r.skip_reason,
               (r.sent_at AT TIME ZONE o.timezone)::date, (r.scheduled_for AT TIME ZONE o.timezone)::date,
               s.reminder_after_days, s.escalate_after_days, coalesce(s.escalation_grace_days, 0),
               s.weekly_days_off, off.first_days, off.last_days, s.follow_up_from)::assignment_reminders.silence_facts,
           silence.since <= local.today AND x.id IS NULL AND pause.first_days IS NULL AND leave.first_days IS NULL
               AND (r.sent_at > assignment_silences.as_of) IS NOT TRUE
               AND mentor_is.unreachable IS NULL
               AND CASE WHEN told.is_fallback THEN fallback_is.unreachable ELSE coordinator_is.unreachable END IS NULL,
           CASE WHEN of_this.reminder THEN r.sent_at END,
           CASE WHEN of_this.escalation THEN x.status END, x.skip_reason, x.sent_at,
           CASE WHEN of_this.escalation AND x.status = 'sent' THEN assignment_reminders.has_come_back(x.id, x.sent_at, x.recipient_id) END,
           x.recipient_id <> CASE WHEN told.is_fallback THEN s.fallback_coordinator_id ELSE a.coordinator_id END
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
           SELECT p.assignment_id, array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days
             FROM assignment_reminders.assignment_pauses p
             JOIN assignment_reminders.assignments paused ON paused.id = p.assignment_id
            -- One that was closed, and is open, was opened where nobody saw it.
            WHERE NOT (p.cause = 'closed' AND p.paused_until IS NULL AND paused.status = 'open')
            GROUP BY p.assignment_id
           ) AS pause ON pause.assignment_id = a.id
      LEFT JOIN (
           SELECT p.peer_mentor_id, array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days
             FROM assignment_reminders.mentor_pauses p
            GROUP BY p.peer_mentor_id
           ) AS leave ON leave.peer_mentor_id = a.peer_mentor_id
      LEFT JOIN (
           SELECT d.organization_id, array_agg(d.first_day) AS first_days, array_agg(d.last_day) AS last_days
             FROM assignment_reminders.days_off d
            GROUP BY d.organization_id
           ) AS off ON off.organization_id = a.organization_id
     CROSS JOIN LATERAL (
           SELECT coalesce(assignment_silences.day, (coalesce(assignment_silences.as_of, now()) AT TIME ZONE o.timezone)::date) AS today
           ) AS local
     CROSS JOIN LATERAL (SELECT assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS since) AS silence
     CROSS JOIN LATERAL (
           SELECT r.anchor = assignment_reminders.silence_anchor(silence.since)
                      AND (r.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE AS reminder,
                  x.anchor = assignment_reminders.silence_anchor(silence.since)
                      AND (x.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE AS escalation
           ) AS of_this
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                      'mentor', mentor.contact_opt_out, mentor.email IS NOT NULL,
                      assignment_reminders.is_muted(mentors.muted_types, assignment_reminders.reminder_type_of('remind'))) AS unreachable
           ) AS mentor_is
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                      'coordinator', coordinator.contact_opt_out, coordinator.email IS NOT NULL,
                      assignment_reminders.is_muted(coordinators.muted_types, assignment_reminders.reminder_type_of('escalate'))) AS unreachable
           ) AS coordinator_is
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                      'coordinator', fallback.contact_opt_out, fallback.email IS NOT NULL,
                      assignment_reminders.is_muted(fallbacks.muted_types, assignment_reminders.reminder_type_of('escalate'))) AS unreachable
           ) AS fallback_is
      -- As coordinator_to_tell says it of one.
     CROSS JOIN LATERAL (
           SELECT s.fallback_coordinator_id IS NOT NULL
                  AND assignment_reminders.goes_to_fallback(coordinator_is.unreachable, fallback_is.unreachable) AS is_fallback
           ) AS told
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
      FROM assignment_reminders.assignment_silences(coalesce(assignment_outlooks.as_of, now()), NULL) AS f
     CROSS JOIN LATERAL assignment_reminders.outlook_of(
           f.facts, f.coordinator_unreachable, f.escalation_status, f.escalation_skip_reason, f.escalation_has_come_back,
           f.escalation_is_for_another, f.is_held, f.has_settings) AS o
     WHERE f.status = 'open' AND f.follow_up
       AND (assignment_outlooks.organization_id IS NULL OR f.organization_id = assignment_outlooks.organization_id)
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole(
                         '{organizations,reminder_settings,organization_evaluations,days_off,assignments,assignment_pauses,peer_mentors,mentor_pauses,users,user_preferences,reminders,send_logs}',
                         assignment_outlooks.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.assignment_outlooks(timestamptz, uuid) IS
    'Read-only: of every open assignment that is followed up, of one organization or (NULL) all: how far its silence has got (silent, reminder_waits, reminded, escalation_waits, escalated), the next message and the day of it, if nothing changes, and why nobody will hear of it (NULL: somebody will).';
