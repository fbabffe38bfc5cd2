-- What is due at as_of, by an organization's settings or by others. The decision is evaluate_silence's (src/rules/follow_up.rs); this
-- statement finds the candidate rows, and whom to write to.
--
-- The innermost subquery picks open assignments whose silence is long enough for any action, by an index range per
-- organization (assignments_open_silence_idx), and leaves out at once those whose reminder of this silence is
-- enqueued and cannot be followed by anything yet (reminders_assignment_type_key, once per silent assignment): what a
-- repeat run mostly meets. latest_starts_of_silence says how long that is by the organization's calendar; what was paused
-- meanwhile (assignment_pauses_assignment_idx and mentor_pauses_peer_mentor_idx, once for each that remains) is counted again. OFFSET 0 keeps the subquery
-- whole, and BETWEEN '-infinity' makes the planner guess a narrow range (0.5 %) instead of a third of the table, for which
-- it would read all of it; LIMIT 1, of a unique row, keeps it from reading the whole outbox for each organization. The
-- people around the few that remain are joined by primary key.
-- tests/server/daily.rs proves on random data that this agrees with the rules.
CREATE FUNCTION assignment_reminders.due_follow_ups(
    as_of timestamptz,
    organization_id uuid,
    at_any_hour boolean,
    reminder_after_days integer,
    escalate_after_days integer,
    escalation_grace_days integer,
    weekly_days_off integer[],
    follow_up_from date,
    fallback_coordinator_id uuid
) RETURNS SETOF assignment_reminders.follow_up
LANGUAGE sql STABLE
AS $$
    SELECT o.id, a.id, e.action, e.days_since, kind.reminder_type, recipient.id, unreachable.reason, a.anchor,
           -- Of one that has none any more, the one who was reminded.
           coalesce(a.peer_mentor_id, a.reminded_peer_mentor_id), e.due_on
      FROM (SELECT t.organization_id AS id, t.timezone, t.today, t.is_due
              FROM assignment_reminders.evaluation_turns(coalesce(due_follow_ups.as_of, now())) AS t) AS o
     CROSS JOIN LATERAL (
           -- 0 switches an action off, which NULL cannot: it leaves the setting as it is.
           SELECT nullif(coalesce(due_follow_ups.reminder_after_days, s.reminder_after_days), 0) AS reminder_after_days,
                  nullif(coalesce(due_follow_ups.escalate_after_days, s.escalate_after_days), 0) AS escalate_after_days,
                  coalesce(due_follow_ups.escalation_grace_days, s.escalation_grace_days) AS escalation_grace_days,
                  coalesce(due_follow_ups.weekly_days_off, s.weekly_days_off) AS weekly_days_off,
                  coalesce(due_follow_ups.follow_up_from, s.follow_up_from) AS follow_up_from,
                  coalesce(due_follow_ups.fallback_coordinator_id, s.fallback_coordinator_id) AS fallback_coordinator_id,
                  s.address_required
             FROM assignment_reminders.reminder_settings s WHERE s.organization_id = o.id
           ) AS s
     CROSS JOIN LATERAL (
           SELECT array_agg(d.first_day) AS first_days, array_agg(d.last_day) AS last_days
             FROM assignment_reminders.days_off d WHERE d.organization_id = o.id
           ) AS off
     CROSS JOIN LATERAL assignment_reminders.latest_starts_of_silence(
           s.reminder_after_days, s.escalate_after_days, o.today,
           s.weekly_days_off, off.first_days, off.last_days, s.follow_up_from) AS latest_start
     CROSS JOIN LATERAL (
           SELECT a.id, silence.since, a.peer_mentor_id, a.mentor_since, a.coordinator_id, clock.anchor,
                  r.anchor = clock.anchor AND (r.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE AS is_reminder_of_this_silence,
                  CASE WHEN r.anchor = clock.anchor THEN r.peer_mentor_id END AS reminded_peer_mentor_id,
                  r.status, r.skip_reason, r.sent_at, r.scheduled_for
             FROM assignment_reminders.assignments a
            CROSS JOIN LATERAL (SELECT assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS since) AS silence
            CROSS JOIN LATERAL (SELECT assignment_reminders.silence_anchor(silence.since) AS anchor) AS clock
             LEFT JOIN LATERAL (
                  SELECT * FROM assignment_reminders.reminders r
                   WHERE r.assignment_id = a.id AND r.reminder_type = assignment_reminders.reminder_type_of('remind')
                   LIMIT 1
                  ) AS r ON true
            WHERE a.organization_id = o.id
              AND a.status = 'open'
              AND assignment_reminders.silent_since(a.last_contact_date, a.assigned_on)
                  BETWEEN '-infinity' AND latest_start.any_action
              AND a.follow_up
              AND NOT coalesce(
                  r.anchor = clock.anchor AND (r.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE
                  AND (r.status = 'pending'
                       OR (r.status IN ('sent', 'failed') AND coalesce(silence.since > latest_start.beyond_reminder, true))),
                  false)
           OFFSET 0
           ) AS a
      LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = o.id
      LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = o.id
      LEFT JOIN assignment_reminders.user_preferences mentors ON mentors.user_id = mentor.id
      LEFT JOIN LATERAL (
           SELECT array_agg(p.paused_from) AS first_days, array_agg(coalesce(p.paused_until, 'infinity')) AS last_days
             FROM (SELECT p.paused_from, p.paused_until FROM assignment_reminders.assignment_pauses p
                    -- One that was closed, and is open, was opened where nobody saw it.
                    WHERE p.assignment_id = a.id AND NOT (p.cause = 'closed' AND p.paused_until IS NULL)
                    UNION ALL
                   SELECT greatest(p.paused_from, a.mentor_since), p.paused_until FROM assignment_reminders.mentor_pauses p
                    WHERE p.peer_mentor_id = a.peer_mentor_id) AS p
           ) AS pause ON true
     CROSS JOIN LATERAL assignment_reminders.evaluate_silence(ROW(
           a.since, o.today, pause.first_days, pause.last_days,
           assignment_reminders.unreachable_reason(
               'mentor', mentor.contact_opt_out, assignment_reminders.address_of(mentor.email, s.address_required) IS NOT NULL,
               assignment_reminders.is_muted(mentors.muted_types, assignment_reminders.reminder_type_of('remind'))),
           CASE WHEN a.is_reminder_of_this_silence THEN a.status END, a.skip_reason,
           (a.sent_at AT TIME ZONE o.timezone)::date, (a.scheduled_for AT TIME ZONE o.timezone)::date,
           s.reminder_after_days, s.escalate_after_days, s.escalation_grace_days,
           s.weekly_days_off, off.first_days, off.last_days, s.follow_up_from)::assignment_reminders.silence_facts) AS e
      -- No kind does nothing.
      JOIN assignment_reminders.reminder_kinds() AS kind ON kind.kind = e.action
      LEFT JOIN assignment_reminders.users recipient
        ON recipient.id = assignment_reminders.addressee_id(
               kind.addressee, mentor.id,
               CASE WHEN s.fallback_coordinator_id IS NULL THEN a.coordinator_id
                    WHEN kind.addressee = 'coordinator' THEN assignment_reminders.coordinator_to_tell(
                        o.id, a.coordinator_id, s.fallback_coordinator_id, kind.reminder_type) END, NULL, NULL)
       AND recipient.organization_id = o.id
      LEFT JOIN assignment_reminders.user_preferences preference ON preference.user_id = recipient.id
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.unreachable_reason(
                  kind.addressee, recipient.contact_opt_out, assignment_reminders.address_of(recipient.email, s.address_required) IS NOT NULL,
                  assignment_reminders.is_muted(preference.muted_types, kind.reminder_type)) AS reason
           ) AS unreachable
      LEFT JOIN LATERAL (
           SELECT * FROM assignment_reminders.reminders r
            WHERE r.assignment_id = a.id AND r.reminder_type = kind.reminder_type
            LIMIT 1
           ) AS enqueued ON true
     WHERE (o.is_due OR due_follow_ups.at_any_hour)
       AND (enqueued.id IS NULL
            OR assignment_reminders.is_rearmed(
                   enqueued.reminder_type, enqueued.anchor, enqueued.status, enqueued.skip_reason, a.anchor, unreachable.reason,
                   enqueued.peer_mentor_id <> a.peer_mentor_id, enqueued.recipient_id <> recipient.id))
       AND (due_follow_ups.organization_id IS NULL
            OR o.id = assignment_reminders.existing_organization(due_follow_ups.organization_id))
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole(
                         '{organizations,reminder_settings,organization_evaluations,days_off,assignments,assignment_pauses,peer_mentors,mentor_pauses,users,user_preferences,reminders}',
                         due_follow_ups.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.due_follow_ups(timestamptz, uuid, boolean, integer, integer, integer, integer[], date, uuid) IS
    'What evaluate_assignments and preview_follow_ups ask: follow-ups that are due at as_of (NULL: now) and not yet enqueued, of one organization or (NULL) all, of those whose turn it is or at_any_hour, under these settings (NULL: as set; 0 days: off).';

CREATE FUNCTION assignment_reminders.evaluate_assignments(
    as_of timestamptz DEFAULT now(),
    organization_id uuid DEFAULT NULL
) RETURNS SETOF assignment_reminders.follow_up
LANGUAGE sql STABLE
AS $$
    SELECT * FROM assignment_reminders.due_follow_ups(as_of, organization_id, false, NULL, NULL, NULL, NULL, NULL, NULL)
$$;
COMMENT ON FUNCTION assignment_reminders.evaluate_assignments(timestamptz, uuid) IS
    'Read-only: what a run at as_of would enqueue, for one organization or (NULL) all; also what it would hold as a backlog (follow_up_limit). 02000 for an unknown organization.';

CREATE FUNCTION assignment_reminders.preview_follow_ups(
    organization_id uuid DEFAULT NULL,
    reminder_after_days integer DEFAULT NULL,
    escalate_after_days integer DEFAULT NULL,
    weekly_days_off integer[] DEFAULT NULL,
    escalation_grace_days integer DEFAULT NULL,
    follow_up_from date DEFAULT NULL,
    fallback_coordinator_id uuid DEFAULT NULL,
    as_of timestamptz DEFAULT now()
) RETURNS SETOF assignment_reminders.follow_up
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM assignment_reminders.due_follow_ups(
        as_of, organization_id, true, reminder_after_days, escalate_after_days, escalation_grace_days, weekly_days_off, follow_up_from,
        fallback_coordinator_id)
$$;
COMMENT ON FUNCTION assignment_reminders.preview_follow_ups(uuid, integer, integer, integer[], integer, date, uuid, timestamptz) IS
    'Read-only: who would get what under other settings, at whatever hour: the follow-ups that evaluate_assignments would return if they were these. What is left out is as set; 0 days switch that action off; no organization_id: all. 02000 for an unknown organization, 22023 for negative days or an unknown weekday.';
