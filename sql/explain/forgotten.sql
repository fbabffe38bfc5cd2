-- Whom nobody will hear of. Of most it is asked once for each organization, whether all will be heard of: those that nothing stops, and whose
-- mentor and coordinator can be written to.
-- Index: none; each table is read once.
CREATE FUNCTION assignment_reminders.forgotten_assignments(organization_id uuid DEFAULT NULL, as_of timestamptz DEFAULT now())
RETURNS TABLE (
    organization_id uuid, assignment_id uuid, title text, reason text, is_decided boolean, state text, silent_since date, days_since integer,
    peer_mentor_id uuid, coordinator_id uuid
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB'
AS $$
    WITH heard AS MATERIALIZED (
        SELECT o.id AS organization_id
          FROM assignment_reminders.organizations o
          JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
         CROSS JOIN LATERAL (
               SELECT array_agg(d.first_day) AS first_days, array_agg(d.last_day) AS last_days
                 FROM assignment_reminders.days_off d WHERE d.organization_id = o.id
               ) AS off
         WHERE assignment_reminders.every_silence_is_heard(
                   s.reminder_after_days, s.escalate_after_days, s.escalation_grace_days,
                   (coalesce(forgotten_assignments.as_of, now()) AT TIME ZONE o.timezone)::date,
                   s.weekly_days_off, off.first_days, off.last_days, s.follow_up_from)
    )
    SELECT f.organization_id, f.assignment_id, f.title, o.forgotten, o.is_decided, o.state, (f.facts).silent_since,
           (f.facts).as_of - (f.facts).silent_since, f.peer_mentor_id, f.coordinator_id
      -- Once for all and once for one: of a condition that may be either, the planner expects a few rows, and looks each up that is joined.
      FROM (SELECT s.* FROM assignment_reminders.assignment_silences(coalesce(forgotten_assignments.as_of, now()), NULL) AS s
             WHERE forgotten_assignments.organization_id IS NULL
             UNION ALL
            SELECT s.* FROM assignment_reminders.assignment_silences(coalesce(forgotten_assignments.as_of, now()), NULL) AS s
             WHERE s.organization_id = assignment_reminders.existing_organization(forgotten_assignments.organization_id)) AS f
      LEFT JOIN heard ON heard.organization_id = f.organization_id
     CROSS JOIN LATERAL assignment_reminders.outlook_of(
           f.facts, f.coordinator_unreachable, f.escalation_status, f.escalation_skip_reason, f.escalation_has_come_back,
           f.escalation_is_for_another, f.is_held, f.has_settings) AS o
     WHERE f.status = 'open' AND f.follow_up
       AND NOT (f.is_plain AND NOT f.is_held AND heard.organization_id IS NOT NULL)
       AND o.forgotten IS NOT NULL
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole(
                         '{organizations,reminder_settings,organization_evaluations,days_off,assignments,assignment_pauses,peer_mentors,mentor_pauses,users,user_preferences,reminders,send_logs}',
                         forgotten_assignments.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.forgotten_assignments(uuid, timestamptz) IS
    'Whom nobody will hear of, of one organization or (NULL) all: every open assignment that is followed up and has no next message at as_of (NULL: now), or nobody to write to, with the reason: no_recipient, escalation_failed, escalation_returned, held, no_settings, never_due; and, where somebody decided it (is_decided), paused_for_good, reminders_off, escalations_off. All others are in one state with a next day, or their coordinator was told. 02000 for an unknown organization.';
