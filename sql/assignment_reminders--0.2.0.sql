-- Written by `make schema` from the code and its doc comments: change those, not this file.

-- bootstrap
-- The composite types that functions take and return. Each is written here and nowhere else: the library finds the columns by
-- their names (src/server/result.rs), and refuses a type that has others.

-- A named composite, because building one costs a tenth of what a set-returning function or an enum does, and works
-- whatever the search_path.
CREATE TYPE assignment_reminders.evaluation AS (
    action text,
    days_since integer
);
COMMENT ON TYPE assignment_reminders.evaluation IS
    'What evaluate_assignment returns: an action (none, remind, escalate) and the days of silence.';

CREATE TYPE assignment_reminders.latest_starts AS (
    any_action date,
    beyond_reminder date
);
COMMENT ON TYPE assignment_reminders.latest_starts IS
    'What latest_starts_of_silence returns: silences that began later than any_action call for nothing, later than beyond_reminder for nothing but the mentor''s reminder.';

CREATE TYPE assignment_reminders.called AS (
    action text,
    days_since integer,
    due_on date
);
COMMENT ON TYPE assignment_reminders.called IS
    'What evaluate_silence returns: an action (none, remind, escalate), the days of silence, and the day since which it calls for that (NULL for none).';

CREATE TYPE assignment_reminders.outlook AS (
    state text,
    counted_days integer,
    next_action text,
    next_on date,
    forgotten text,
    is_decided boolean
);
COMMENT ON TYPE assignment_reminders.outlook IS
    'What outlook_of returns: how far a silence has got, its counted days, the next message and the day of it, and why nobody will hear of it (NULL: somebody will), and whether somebody decided that.';

CREATE TYPE assignment_reminders.follow_up AS (
    organization_id uuid,
    assignment_id uuid,
    action text,
    days_since integer,
    reminder_type text,
    recipient_id uuid,
    skip_reason text,
    anchor timestamptz,
    peer_mentor_id uuid,
    due_on date
);
COMMENT ON TYPE assignment_reminders.follow_up IS
    'What evaluate_assignments returns: a follow-up that is due and not yet enqueued.';

CREATE TYPE assignment_reminders.reminder_kind AS (
    kind text,
    reminder_type text,
    follows text,
    addressee text
);
COMMENT ON TYPE assignment_reminders.reminder_kind IS
    'A kind of reminder: its type (NULL: many), what it follows (silence, due date, day, occurrence) and whom it goes to (mentor, coordinator, recipient, admin).';

-- What evaluate_silence decides by. Days are those of the organization.
CREATE TYPE assignment_reminders.silence_facts AS (
    silent_since date,
    as_of date,
    paused_from date[],
    paused_until date[],
    mentor_unreachable text,
    reminder_status text,
    reminder_skip_reason text,
    reminder_sent_on date,
    reminder_scheduled_on date,
    reminder_after_days integer,
    escalate_after_days integer,
    escalation_grace_days integer,
    weekly_days_off integer[],
    off_from date[],
    off_until date[],
    follow_up_from date
);
COMMENT ON TYPE assignment_reminders.silence_facts IS
    'What evaluate_silence decides by: a silence, the reminder of it to whoever is mentor now (no status: there is none), and the organization''s settings and days off.';

-- Of the rows that tell of a silence, what silence_of asks.
CREATE TYPE assignment_reminders.assignment_facts AS (
    organization_id uuid,
    id uuid,
    title text,
    status text,
    follow_up boolean,
    peer_mentor_id uuid,
    mentor_since date,
    coordinator_id uuid,
    last_contact_date date,
    assigned_on date
);
COMMENT ON TYPE assignment_reminders.assignment_facts IS 'What silence_of takes of an assignment.';

CREATE TYPE assignment_reminders.settings_facts AS (
    are_there boolean,
    reminder_after_days integer,
    escalate_after_days integer,
    escalation_grace_days integer,
    weekly_days_off integer[],
    follow_up_from date,
    fallback_coordinator_id uuid,
    evaluation_hour integer,
    address_required boolean
);
COMMENT ON TYPE assignment_reminders.settings_facts IS 'What silence_of takes of an organization''s settings.';

CREATE TYPE assignment_reminders.person_facts AS (
    id uuid,
    name text,
    is_opted_out boolean,
    has_address boolean,
    muted_types text[]
);
COMMENT ON TYPE assignment_reminders.person_facts IS 'What silence_of takes of a person.';

CREATE TYPE assignment_reminders.message_facts AS (
    id uuid,
    reminder_type text,
    anchor timestamptz,
    status text,
    skip_reason text,
    sent_at timestamptz,
    scheduled_for timestamptz,
    peer_mentor_id uuid,
    recipient_id uuid
);
COMMENT ON TYPE assignment_reminders.message_facts IS 'What silence_of takes of a reminder.';

CREATE TYPE assignment_reminders.stop_facts AS (
    first_days date[],
    last_days date[],
    causes text[],
    reasons text[]
);
COMMENT ON TYPE assignment_reminders.stop_facts IS 'What silence_of takes of days that do not count: pairwise, the first and last days, with the causes and the reasons.';

-- What skip_reason decides by.
CREATE TYPE assignment_reminders.reminder_facts AS (
    reminder_type text,
    anchor timestamptz,
    scheduled_for timestamptz,
    latest_scheduled_for timestamptz,
    assignment_status text,
    silent_since date,
    due_at timestamptz,
    is_wanted boolean,
    is_today boolean,
    has_something_to_say boolean,
    is_opted_out boolean,
    has_address boolean,
    as_of timestamptz,
    is_paused boolean,
    is_of_another_mentor boolean,
    is_followed_up boolean,
    is_admin boolean,
    is_muted boolean,
    is_called_for boolean
);
COMMENT ON TYPE assignment_reminders.reminder_facts IS
    'What skip_reason decides by: a reminder, its assignment (no status: there is none), its day (summaries) and its recipient (is_opted_out NULL: there is none).';

CREATE TYPE assignment_reminders.mentor_count AS (
    organization_id uuid,
    peer_mentor_id uuid,
    assignment_count integer
);
COMMENT ON TYPE assignment_reminders.mentor_count IS
    'What assignment_counts_as_of returns: how many assignments a mentor had.';

CREATE TYPE assignment_reminders.closed_period AS (
    closed_period_id uuid,
    organization_id uuid,
    first_day date,
    last_day date,
    peer_mentors integer,
    adjustments integer,
    checksum text
);
COMMENT ON TYPE assignment_reminders.closed_period IS
    'What close_period returns: the period, of how many mentors its statement tells, how many of its lines adjust earlier periods, and the checksum to note elsewhere.';

CREATE TYPE assignment_reminders.closed_period_problem AS (
    organization_id uuid,
    closed_period_id uuid,
    first_day date,
    last_day date,
    problem text
);
COMMENT ON TYPE assignment_reminders.closed_period_problem IS
    'What verify_closed_periods returns: a closed period that is not as it was closed, and what does not fit.';

-- Silence, as SQL must know it: inlined into queries, these match the index on the contact clock of open assignments.
-- src/rules/contact.rs says the same in Rust; tests/server/rules.rs proves that the two agree.
-- RETURN: what is inlined means what it meant here, whatever the search_path.

CREATE FUNCTION assignment_reminders.silent_since(last_contact_date date, assigned_on date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(assigned_on, last_contact_date);
COMMENT ON FUNCTION assignment_reminders.silent_since(date, date) IS
    'The day on which the silence of an assignment began: its last contact, but not before the day it was assigned.';

CREATE FUNCTION assignment_reminders.silence_anchor(silent_since date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN silent_since::timestamp AT TIME ZONE 'UTC';
COMMENT ON FUNCTION assignment_reminders.silence_anchor(date) IS
    'The anchor of the follow-ups of a silence: midnight UTC of the day on which it began.';

-- requires:
--   silence

-- Recipients, as queries over many people need them.

CREATE FUNCTION assignment_reminders.address_of(email text, address_required boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN address_required IS FALSE THEN coalesce(email, '') ELSE email END;
COMMENT ON FUNCTION assignment_reminders.address_of(text, boolean) IS
    'Where somebody of an organization with this setting (reminder_settings.address_required; NULL: true) can be written to: their email, or the empty text where they have none and need none. NULL: nowhere.';

CREATE FUNCTION assignment_reminders.addressee_id(addressee text, mentor_id uuid, coordinator_id uuid, recipient_id uuid, student_id uuid)
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE addressee WHEN 'mentor' THEN mentor_id
                      WHEN 'coordinator' THEN coordinator_id
                      ELSE coalesce(recipient_id, student_id) END;
COMMENT ON FUNCTION assignment_reminders.addressee_id(text, uuid, uuid, uuid, uuid) IS
    'Which of these people a reminder for this addressee goes to: the mentor, the coordinator, or the recipient whom it names, else the student.';

-- Whom a reminder for the coordinator goes to now. A function of its own, called of those reminders only: others need not look.
-- Index: users_pkey, user_preferences_pkey, reminder_settings_pkey.
CREATE FUNCTION assignment_reminders.coordinator_to_tell(organization_id uuid, coordinator_id uuid, fallback_id uuid, reminder_type text)
RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH named AS MATERIALIZED (
        SELECT of.is_fallback, u.id,
               assignment_reminders.unreachable_reason(
                   'coordinator', u.contact_opt_out,
                   assignment_reminders.address_of(u.email, s.address_required) IS NOT NULL,
                   assignment_reminders.is_muted(p.muted_types, coordinator_to_tell.reminder_type)) AS unreachable
          FROM (VALUES (false, coordinator_to_tell.coordinator_id), (true, coordinator_to_tell.fallback_id)) AS of (is_fallback, id)
          -- LIMIT 1, of unique rows: look-ups by key.
          LEFT JOIN LATERAL (
               SELECT * FROM assignment_reminders.users u
                WHERE u.id = of.id AND u.organization_id = coordinator_to_tell.organization_id LIMIT 1
               ) AS u ON true
          LEFT JOIN LATERAL (
               SELECT s.address_required FROM assignment_reminders.reminder_settings s
                WHERE s.organization_id = coordinator_to_tell.organization_id LIMIT 1
               ) AS s ON true
          LEFT JOIN LATERAL (
               SELECT p.muted_types FROM assignment_reminders.user_preferences p WHERE p.user_id = u.id LIMIT 1
               ) AS p ON true
    )
    SELECT CASE WHEN assignment_reminders.goes_to_fallback(coordinator.unreachable, fallback.unreachable)
                THEN fallback.id ELSE coordinator.id END
      FROM named coordinator, named fallback
     WHERE NOT coordinator.is_fallback AND fallback.is_fallback
$$;
COMMENT ON FUNCTION assignment_reminders.coordinator_to_tell(uuid, uuid, uuid, text) IS
    'Who of an assignment''s coordinator and the organization''s fallback (NULL: none) a reminder of this type for the coordinator goes to now: the fallback where there is no coordinator, and where only the fallback can be reached (goes_to_fallback). NULL where there is neither.';

-- requires:
--   recipients

-- Compares every count with count(*) in one snapshot. Reads both tables whole (an index-only scan of
-- assignments_peer_mentor_idx does): it is a check, run when there is reason to doubt.
CREATE FUNCTION assignment_reminders.verify_assignment_counts()
RETURNS TABLE (organization_id uuid, peer_mentor_id uuid, assignment_count integer, actual_count integer)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.organization_id, m.id, m.assignment_count, coalesce(actual.assignments, 0)::integer
      FROM assignment_reminders.peer_mentors m
      LEFT JOIN (SELECT a.peer_mentor_id, count(*) AS assignments
                   FROM assignment_reminders.assignments a
                  WHERE a.peer_mentor_id IS NOT NULL
                  GROUP BY a.peer_mentor_id) AS actual
        ON actual.peer_mentor_id = m.id
     WHERE m.assignment_count <> coalesce(actual.assignments, 0)
     ORDER BY m.organization_id, m.id
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{peer_mentors,assignments}') THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.verify_assignment_counts() IS
    'Mentors whose assignment_count differs from count(*); always empty, unless triggers were bypassed.';

-- requires:
--   verify_assignment_counts

-- Compares every contact date with what activities and corrections say, in one snapshot. Assignments of which neither says
-- anything are passed over: one that was imported while the triggers were away keeps its date. Reads the tables whole, as
-- verify_assignment_counts does.
CREATE FUNCTION assignment_reminders.verify_contact_dates()
RETURNS TABLE (organization_id uuid, assignment_id uuid, last_contact_date date, actual_date date)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.organization_id, a.id, a.last_contact_date, greatest(correction.new_date, activity.contact_date)
      FROM assignment_reminders.assignments a
      LEFT JOIN (SELECT DISTINCT ON (c.assignment_id) c.assignment_id, c.new_date
                   FROM assignment_reminders.contact_corrections c
                  ORDER BY c.assignment_id, c.number DESC) AS correction
        ON correction.assignment_id = a.id
      LEFT JOIN (SELECT t.assignment_id, max((t.occurred_at AT TIME ZONE o.timezone)::date) AS contact_date
                   FROM assignment_reminders.activities t
                   JOIN assignment_reminders.organizations o ON o.id = t.organization_id
                  WHERE t.is_contact AND t.overruled_by IS NULL
                  GROUP BY t.assignment_id) AS activity
        ON activity.assignment_id = a.id
     WHERE (correction.assignment_id IS NOT NULL OR activity.assignment_id IS NOT NULL)
       AND a.last_contact_date IS DISTINCT FROM greatest(correction.new_date, activity.contact_date)
     ORDER BY a.organization_id, a.id
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{assignments,organizations,activities,contact_corrections}') THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.verify_contact_dates() IS
    'Assignments whose last_contact_date differs from what activities and corrections say in the organization''s time zone; always empty, unless triggers were bypassed or that zone was changed since.';

-- requires:
--   verify_contact_dates

-- Reading contact dates. Each is one query, with a pinned search_path, and so never inlined into the caller's: what the caller
-- filters by cannot take away the error of a missing row, which the functions named require_ and raise_ raise.

-- Index: assignments_pkey.
CREATE FUNCTION assignment_reminders.get_last_contact_date(assignment_id uuid) RETURNS date
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.last_contact_date
      FROM (SELECT assignment_reminders.require_value(get_last_contact_date.assignment_id, 'assignment_id') AS id) AS wanted
      LEFT JOIN assignment_reminders.assignments a ON a.id = wanted.id
     WHERE coalesce(a.id, assignment_reminders.raise_unknown('assignment', wanted.id)) IS NOT NULL
$$;
COMMENT ON FUNCTION assignment_reminders.get_last_contact_date(uuid) IS
    'The assignment''s latest contact; NULL when there never was one. 02000 for an unknown assignment, 22004 for NULL.';

-- Index: assignments_open_contact_clock_idx, from the key on. What was never in contact has its place there by the day it was
-- assigned, so the last page goes through what was in contact since, too.
CREATE FUNCTION assignment_reminders.get_assignments_with_no_contact_since(
    cutoff_date date,
    after_silent_since date DEFAULT NULL,
    after_assignment_id uuid DEFAULT NULL,
    page_size integer DEFAULT NULL,
    organization_id uuid DEFAULT NULL
) RETURNS TABLE (
    assignment_id uuid, title text, student_id uuid, peer_mentor_id uuid, coordinator_id uuid, assigned_on date,
    last_contact_date date, silent_since date
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT silent.*
      FROM (SELECT assignment_reminders.require_value(get_assignments_with_no_contact_since.cutoff_date, 'cutoff_date') AS cutoff_date,
                   assignment_reminders.chosen_organization(get_assignments_with_no_contact_since.organization_id) AS organization_id
            OFFSET 0) AS wanted
     CROSS JOIN LATERAL (
           SELECT a.id, a.title, a.student_id, a.peer_mentor_id, a.coordinator_id, a.assigned_on, a.last_contact_date,
                  assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS silent_since
             FROM assignment_reminders.assignments a
            WHERE a.organization_id = wanted.organization_id
              AND a.status = 'open'
              AND (assignment_reminders.silent_since(a.last_contact_date, a.assigned_on), a.id)
                  > (coalesce(get_assignments_with_no_contact_since.after_silent_since, '-infinity'),
                     coalesce(get_assignments_with_no_contact_since.after_assignment_id, '00000000-0000-0000-0000-000000000000'))
              AND (a.last_contact_date < wanted.cutoff_date OR a.last_contact_date IS NULL)
            ORDER BY assignment_reminders.silent_since(a.last_contact_date, a.assigned_on), a.id
            LIMIT assignment_reminders.require_page_size(get_assignments_with_no_contact_since.page_size)
           ) AS silent
     ORDER BY silent.silent_since, silent.id
$$;
COMMENT ON FUNCTION assignment_reminders.get_assignments_with_no_contact_since(date, date, uuid, integer, uuid) IS
    'An organization''s open assignments whose last contact was before cutoff_date, and those that never had one, longest silent first (without any contact: from the day they were assigned). All, or a page of page_size: for the next one, pass the last row''s silent_since and assignment_id. NULL organization: the current one. 02000 for an unknown one, 22004 for a NULL cutoff_date and where the session speaks for no organization, 22023 for a page size outside 1 to 10000.';

CREATE FUNCTION assignment_reminders.get_open_assignments_with_contact_dates(
    after_silent_since date DEFAULT NULL,
    after_assignment_id uuid DEFAULT NULL,
    page_size integer DEFAULT NULL,
    organization_id uuid DEFAULT NULL
) RETURNS TABLE (
    assignment_id uuid, title text, student_id uuid, peer_mentor_id uuid, coordinator_id uuid, assigned_on date,
    last_contact_date date, silent_since date
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- No contact was at the end of time.
    SELECT * FROM assignment_reminders.get_assignments_with_no_contact_since(
           'infinity', get_open_assignments_with_contact_dates.after_silent_since,
           get_open_assignments_with_contact_dates.after_assignment_id, get_open_assignments_with_contact_dates.page_size,
           get_open_assignments_with_contact_dates.organization_id)
$$;
COMMENT ON FUNCTION assignment_reminders.get_open_assignments_with_contact_dates(date, uuid, integer, uuid) IS
    'An organization''s open assignments with their contact dates, longest silent first; paged as get_assignments_with_no_contact_since is. NULL organization: the current one. 02000 for an unknown one, 22004 where the session speaks for none, 22023 for a page size outside 1 to 10000.';

-- Index: primary keys.
CREATE FUNCTION assignment_reminders.get_assignment_with_participants(assignment_id uuid) RETURNS TABLE (
    assignment_id uuid, organization_id uuid, title text, status text, due_at timestamptz, assigned_on date, last_contact_date date,
    student_id uuid, student_name text, student_email text,
    peer_mentor_id uuid, peer_mentor_user_id uuid, peer_mentor_name text, peer_mentor_email text,
    coordinator_id uuid, coordinator_name text, coordinator_email text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id, a.organization_id, a.title, a.status, a.due_at, a.assigned_on, a.last_contact_date,
           student.id, student.name, student.email,
           a.peer_mentor_id, mentor.id, mentor.name, mentor.email,
           coordinator.id, coordinator.name, coordinator.email
      FROM (SELECT assignment_reminders.require_value($1, 'assignment_id') AS id) AS wanted
      LEFT JOIN assignment_reminders.assignments a ON a.id = wanted.id
      LEFT JOIN assignment_reminders.users student
        ON student.id = a.student_id AND student.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.users coordinator
        ON coordinator.id = a.coordinator_id AND coordinator.organization_id = a.organization_id
     WHERE coalesce(a.id, assignment_reminders.raise_unknown('assignment', wanted.id)) IS NOT NULL
$$;
COMMENT ON FUNCTION assignment_reminders.get_assignment_with_participants(uuid) IS
    'The assignment with its student, mentor and coordinator; those it does not have are NULL. 02000 for an unknown assignment, 22004 for NULL.';

-- requires:
--   contact_reads

-- Whose turn it is in a run. src/rules/evaluation.rs says when; this gathers what decides it. Postgres resolves an hour that a change of
-- clocks skips to the one after it, and one that it repeats to its second pass. Index: primary keys, days_off_organization_idx.
CREATE FUNCTION assignment_reminders.evaluation_turns(as_of timestamptz DEFAULT now())
RETURNS TABLE (organization_id uuid, timezone text, today date, is_due boolean, is_day_off boolean, evaluated_at timestamptz,
               last_evaluated_on date, is_released boolean)
LANGUAGE sql STABLE
AS $$
    SELECT o.id, o.timezone, local.today,
           assignment_reminders.is_evaluation_due(
               evaluation_turns.as_of,
               (local.today + hour.of_day) AT TIME ZONE o.timezone, (local.today - 1 + hour.of_day) AT TIME ZONE o.timezone,
               coalesce(e.turn_at, o.created_at), before.runs, e.released_at IS NOT NULL),
           assignment_reminders.is_day_off(
               local.today, s.weekly_days_off,
               ARRAY(SELECT d.first_day FROM assignment_reminders.days_off d WHERE d.organization_id = o.id ORDER BY d.id),
               ARRAY(SELECT d.last_day FROM assignment_reminders.days_off d WHERE d.organization_id = o.id ORDER BY d.id),
               s.follow_up_from),
           last.evaluated_at,
           coalesce((last.evaluated_at AT TIME ZONE o.timezone)::date, local.today - 1),
           e.released_at IS NOT NULL
      FROM assignment_reminders.organizations o
     CROSS JOIN (SELECT assignment_reminders.last_runs(evaluation_turns.as_of) AS runs OFFSET 0) AS before
      JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
      LEFT JOIN assignment_reminders.organization_evaluations e ON e.organization_id = o.id
     CROSS JOIN LATERAL (SELECT (evaluation_turns.as_of AT TIME ZONE o.timezone)::date AS today) AS local
     CROSS JOIN LATERAL (SELECT make_time(s.evaluation_hour, 0, 0) AS of_day) AS hour
      -- One that is yet to come, by a simulated clock, was none.
     CROSS JOIN LATERAL (SELECT CASE WHEN e.evaluated_at <= evaluation_turns.as_of THEN e.evaluated_at END AS evaluated_at) AS last
$$;
COMMENT ON FUNCTION assignment_reminders.evaluation_turns(timestamptz) IS
    'Per organization, at as_of: its time zone and day, whether it is its turn in a run, whether that day is off, its last evaluation and the day of it (yesterday, where there was none), and whether what was held has been released.';

-- requires:
--   evaluation_turns

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

-- requires:
--   evaluate_assignments

-- Reading what is due.

-- Index: assignments_open_due_at_idx, from the key on, once per target.
CREATE FUNCTION assignment_reminders.due_assignments(
    unit text,
    targets integer[],
    tolerance integer DEFAULT 1,
    as_of timestamptz DEFAULT now(),
    after_target integer DEFAULT NULL,
    after_due_at timestamptz DEFAULT NULL,
    after_assignment_id uuid DEFAULT NULL,
    page_size integer DEFAULT NULL,
    organization_id uuid DEFAULT NULL
) RETURNS TABLE (
    target integer, reminder_type text, organization_id uuid, assignment_id uuid, title text, due_at timestamptz,
    due_at_local timestamp, timezone text, student_id uuid, email text, name text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT due.target, due.reminder_type, a.organization_id, a.id, a.title, a.due_at, a.due_at AT TIME ZONE a.timezone, a.timezone,
           a.student_id, a.email, a.name
      FROM (SELECT assignment_reminders.existing_organization(due_assignments.organization_id) AS id OFFSET 0) AS organization
     CROSS JOIN LATERAL assignment_reminders.due_windows(
           due_assignments.unit, due_assignments.targets, due_assignments.tolerance, due_assignments.as_of) AS due
     CROSS JOIN LATERAL (
           SELECT CASE WHEN due.target = due_assignments.after_target THEN due_assignments.after_due_at END AS due_at,
                  CASE WHEN due.target = due_assignments.after_target THEN due_assignments.after_assignment_id END AS id
           ) AS after
     CROSS JOIN LATERAL (
           SELECT a.organization_id, a.id, a.title, a.due_at, a.student_id, u.email, u.name, coalesce(u.timezone, assignment_reminders.organization_timezone(u.organization_id)) AS timezone
             FROM assignment_reminders.assignments a
            -- LIMIT 1, of a unique row, keeps this a look-up by key.
            CROSS JOIN LATERAL (
                  SELECT * FROM assignment_reminders.users u
                   WHERE u.id = a.student_id AND u.organization_id = a.organization_id LIMIT 1
                  ) AS u
            WHERE a.status = 'open'
              AND a.due_at BETWEEN due.due_from AND due.due_to
              AND (a.due_at, a.id) > (coalesce(after.due_at, '-infinity'), coalesce(after.id, '00000000-0000-0000-0000-000000000000'))
              AND assignment_reminders.is_reachable(
                      u.contact_opt_out,
                      assignment_reminders.address_of(u.email, (SELECT s.address_required FROM assignment_reminders.reminder_settings s
                                                                  WHERE s.organization_id = a.organization_id LIMIT 1)))
              AND (organization.id IS NULL OR a.organization_id = organization.id)
            ORDER BY a.due_at, a.id
            LIMIT assignment_reminders.require_page_size(due_assignments.page_size)
           ) AS a
     WHERE due_assignments.after_target IS NULL OR due.target >= due_assignments.after_target
     ORDER BY due.target, a.due_at, a.id
     LIMIT assignment_reminders.require_page_size(due_assignments.page_size)
$$;
COMMENT ON FUNCTION assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid) IS
    'The open assignments that are due targets units (minutes, hours or days) after as_of, give or take tolerance minutes, and whose students can be written to; an assignment near two targets comes once for each. Ordered by target, due date and id. All, or a page of page_size: for the next one, pass the last row''s. NULL organization: all that the caller sees. 22004 for NULL, 22023 for another unit, a negative target or tolerance, or a page size outside 1 to 10000; 22008 for an infinite as_of or a target beyond the calendar; 02000 for an unknown organization.';

CREATE FUNCTION assignment_reminders.day_before(as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (as_of AT TIME ZONE timezone - interval '1 day') AT TIME ZONE timezone;
COMMENT ON FUNCTION assignment_reminders.day_before(timestamptz, text) IS
    'The moment a day before as_of, by the clock of a time zone: from then on, what was completed is news.';

CREATE FUNCTION assignment_reminders.summary_since(last_sent_at timestamptz, as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(CASE WHEN last_sent_at <= as_of THEN last_sent_at ELSE assignment_reminders.day_before(as_of, timezone) END,
                as_of - interval '31 days');
COMMENT ON FUNCTION assignment_reminders.summary_since(timestamptz, timestamptz, text) IS
    'Since when what was completed is news in a summary at as_of: since the last one was sent, but for 31 days at most; where there was none, since a day before, by the clock of a time zone.';

-- Whoever may not read reminders sees what was completed within a day. Index: reminders_recipient_summary_key.
CREATE FUNCTION assignment_reminders.last_summary_sent(student_id uuid, as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN r.anchor = (last_summary_sent.as_of AT TIME ZONE last_summary_sent.timezone)::date::timestamp AT TIME ZONE 'UTC'
                THEN r.previous_sent_at ELSE coalesce(r.sent_at, r.previous_sent_at) END
      FROM assignment_reminders.reminders r
     WHERE r.recipient_id = last_summary_sent.student_id AND r.assignment_id IS NULL
       AND r.reminder_type = assignment_reminders.reminder_type_of('summary')
$$;
COMMENT ON FUNCTION assignment_reminders.last_summary_sent(uuid, timestamptz, text) IS
    'When a student''s summary before the one of as_of''s day (in a time zone) was sent. NULL: never, or none is visible to the caller.';

CREATE FUNCTION assignment_reminders.last_summary(student_id uuid, as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN assignment_reminders.summary_since(
           CASE WHEN has_table_privilege('assignment_reminders.reminders', 'SELECT')
                THEN assignment_reminders.last_summary_sent(student_id, as_of, timezone) END,
           as_of, timezone);
COMMENT ON FUNCTION assignment_reminders.last_summary(uuid, timestamptz, text) IS
    'Since when what was completed is news in a student''s summary at as_of.';

CREATE FUNCTION assignment_reminders.is_in_daily_summary(
    status text, due_at timestamptz, completed_at timestamptz, since timestamptz, as_of timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN due_at IS NOT NULL AND (status = 'open' OR coalesce(completed_at > since AND completed_at <= as_of, false));
COMMENT ON FUNCTION assignment_reminders.is_in_daily_summary(text, timestamptz, timestamptz, timestamptz, timestamptz) IS
    'Whether a student''s daily summary at as_of shows an assignment of this status: one with a due date, while it is open, and once after it was completed since then.';

-- Index: users_pkey, assignments_student_due_at_idx.
CREATE FUNCTION assignment_reminders.daily_summary(student_id uuid, as_of timestamptz DEFAULT now())
RETURNS TABLE (current jsonb, overdue jsonb, completed jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(item.item ORDER BY a.due_at, a.title, a.id)
                        FILTER (WHERE a.status = 'open' AND coalesce(a.due_at > wanted.as_of, true)), '[]'),
           coalesce(jsonb_agg(item.item ORDER BY a.due_at, a.title, a.id)
                        FILTER (WHERE a.status = 'open' AND a.due_at <= wanted.as_of), '[]'),
           coalesce(jsonb_agg(item.item ORDER BY a.completed_at, a.title, a.id) FILTER (WHERE a.completed), '[]')
      FROM (SELECT assignment_reminders.require_value(daily_summary.student_id, 'student_id') AS id,
                   assignment_reminders.require_moment(daily_summary.as_of) AS as_of
            OFFSET 0) AS wanted
      LEFT JOIN assignment_reminders.users u ON u.id = wanted.id
     CROSS JOIN LATERAL (SELECT coalesce(u.timezone, assignment_reminders.organization_timezone(u.organization_id)) AS timezone) AS local
     CROSS JOIN LATERAL (SELECT assignment_reminders.last_summary(u.id, wanted.as_of, local.timezone) AS since OFFSET 0) AS last
      LEFT JOIN assignment_reminders.assignments a
        ON a.student_id = u.id AND a.organization_id = u.organization_id
       AND assignment_reminders.is_in_daily_summary(a.status, a.due_at, a.completed_at, last.since, wanted.as_of)
     CROSS JOIN LATERAL (
           SELECT jsonb_build_object('assignment_id', a.id, 'title', a.title, 'due_at', a.due_at,
                                     'due_at_local', a.due_at AT TIME ZONE local.timezone) AS item
           ) AS item
     WHERE coalesce(u.id, assignment_reminders.raise_unknown('student', wanted.id)) IS NOT NULL
$$;
COMMENT ON FUNCTION assignment_reminders.daily_summary(uuid, timestamptz) IS
    'What a student''s summary at as_of says: their open assignments that are not yet due, the overdue ones, and those completed since the last summary (31 days at most; without one, within the day before), each as a JSON array of assignment_id, title, due_at and due_at_local (in the student''s time zone). 22004 for NULL, 22008 for an infinite as_of, 02000 for an unknown student.';

-- Index: assignments_student_due_at_idx.
CREATE FUNCTION assignment_reminders.has_something_to_say(student_id uuid, as_of timestamptz, timezone text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
           SELECT FROM assignment_reminders.assignments a
            WHERE a.student_id = has_something_to_say.student_id
              AND assignment_reminders.is_in_daily_summary(
                      a.status, a.due_at, a.completed_at,
                      assignment_reminders.last_summary(
                          has_something_to_say.student_id, has_something_to_say.as_of, has_something_to_say.timezone),
                      has_something_to_say.as_of))
$$;
COMMENT ON FUNCTION assignment_reminders.has_something_to_say(uuid, timestamptz, text) IS
    'Whether a student''s daily summary at as_of would hold anything: an open assignment with a due date, or one completed since the last summary.';

-- requires:
--   due_reads

-- What the database holds about a person.

-- The present address, and those that logs of reminders to them hold: of the reminders that name them or their assignment as the
-- student's; where the reminder is gone, of the assignments whose reminders of this type would go to them.
-- Indexes: users_pkey, reminders_recipient_idx, assignments_student_due_at_idx, reminders_assignment_type_key, send_logs_sent_once_key, row_history_pkey.
CREATE FUNCTION assignment_reminders.addresses_of(user_id uuid) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH person AS MATERIALIZED (
        SELECT u.id, u.organization_id, u.email FROM assignment_reminders.users u WHERE u.id = addresses_of.user_id
    ), reminder AS MATERIALIZED (
        SELECT r.id, r.claimed_email FROM person p JOIN assignment_reminders.reminders r ON r.recipient_id = p.id
         UNION
        SELECT r.id, r.claimed_email
          FROM person p
          JOIN assignment_reminders.assignments a ON a.student_id = p.id
          JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.recipient_id IS NULL
    ), assignment AS MATERIALIZED (
        SELECT a.id, a.student_id, a.coordinator_id, a.peer_mentor_id FROM person p
          JOIN assignment_reminders.assignments a ON a.student_id = p.id
         UNION
        SELECT a.id, a.student_id, a.coordinator_id, a.peer_mentor_id FROM person p
          JOIN assignment_reminders.assignments a ON a.coordinator_id = p.id
         UNION
        SELECT a.id, a.student_id, a.coordinator_id, a.peer_mentor_id FROM person p
          JOIN assignment_reminders.peer_mentors m ON m.user_id = p.id AND m.organization_id = p.organization_id
          JOIN assignment_reminders.assignments a ON a.peer_mentor_id = m.id
    ), told AS MATERIALIZED (
        SELECT lower(p.email) AS address FROM person p WHERE p.email IS NOT NULL
         UNION
        SELECT lower(r.claimed_email) FROM reminder r WHERE r.claimed_email LIKE '%@%'
         UNION
        SELECT lower(h.old_values ->> 'email')
          FROM assignment_reminders.row_history h
         WHERE h.row_id = addresses_of.user_id AND h.table_name = 'users' AND h.old_values ->> 'email' LIKE '%@%'
         UNION
        SELECT lower(l.to_email)
          FROM reminder r
          JOIN assignment_reminders.send_logs l ON l.reminder_id = r.id
         WHERE l.to_email LIKE '%@%'
         UNION
        SELECT lower(l.to_email)
          FROM assignment_reminders.send_logs l
          JOIN assignment a ON a.id = l.assignment_id
          LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
         CROSS JOIN LATERAL assignment_reminders.reminder_kind(l.reminder_type) AS kind
         WHERE l.reminder_id IS NULL AND l.to_email LIKE '%@%'
           AND assignment_reminders.addressee_id(kind.addressee, m.user_id, a.coordinator_id, NULL, a.student_id)
               = addresses_of.user_id
    )
    SELECT told.address
      FROM told
     WHERE NOT EXISTS (SELECT FROM person p
                         JOIN assignment_reminders.users other ON other.organization_id = p.organization_id
                        WHERE other.id <> p.id AND lower(other.email) = told.address)
     ORDER BY told.address
$$;
COMMENT ON FUNCTION assignment_reminders.addresses_of(uuid) IS
    'The addresses of a person, in lower case: the present one, and earlier ones as far as the history or logs of their reminders hold them; none that is another person''s in the organization now. None for an unknown person, or NULL.';

-- Indexes: primary keys; those of addresses_of; activities_assignment_idx, activities_recorded_by_idx,
-- contact_corrections_assignment_number_key, send_logs_sent_once_key, row_history_pkey, row_history_belongs_to_idx. Reads row_history whole for what is
-- gone, send_logs for the addresses, and users for whose
-- else they are: both have no index by address, which every message would pay for.
CREATE FUNCTION assignment_reminders.export_person(user_id uuid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH person AS MATERIALIZED (
        SELECT u.* FROM assignment_reminders.users u WHERE u.id = export_person.user_id
    ), mentor AS MATERIALIZED (
        SELECT m.* FROM person p
          JOIN assignment_reminders.peer_mentors m ON m.user_id = p.id AND m.organization_id = p.organization_id
    ), address AS MATERIALIZED (
        SELECT a.address FROM assignment_reminders.addresses_of(export_person.user_id) AS a (address)
    ), spared AS MATERIALIZED (
        SELECT u.organization_id, address.address
          FROM address
          JOIN assignment_reminders.users u ON lower(u.email) = address.address AND u.id <> export_person.user_id
    ), about_student AS MATERIALIZED (
        SELECT a.* FROM person p JOIN assignment_reminders.assignments a ON a.student_id = p.id
    ), owned AS MATERIALIZED (
        -- Also what is gone, by whom it was about.
        SELECT m.id FROM mentor m
         UNION
        SELECT a.id FROM about_student a
         UNION
        SELECT h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name = 'assignments' AND h.old_values ->> 'student_id' = export_person.user_id::text
            OR h.table_name = 'peer_mentors' AND h.old_values ->> 'user_id' = export_person.user_id::text
    ), addressed AS MATERIALIZED (
        SELECT r.* FROM person p JOIN assignment_reminders.reminders r ON r.recipient_id = p.id
         UNION ALL
        SELECT r.*
          FROM about_student a
          JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.recipient_id IS NULL
    )
    SELECT jsonb_build_object(
           'user', to_jsonb(p.*),
           'preferences', (SELECT to_jsonb(preference.*) FROM assignment_reminders.user_preferences preference
                            WHERE preference.user_id = p.id),
           'peer_mentor', (SELECT to_jsonb(m.*) FROM mentor m),
           'addresses', (SELECT coalesce(jsonb_agg(a.address ORDER BY a.address), '[]') FROM address a),
           'assignments_as_student',
           (SELECT coalesce(jsonb_agg(to_jsonb(a.*) ORDER BY a.created_at, a.id), '[]') FROM about_student a),
           'assignments_as_mentor',
           (SELECT coalesce(jsonb_agg(to_jsonb(a.*) ORDER BY a.created_at, a.id), '[]')
              FROM mentor m JOIN assignment_reminders.assignments a ON a.peer_mentor_id = m.id),
           'assignments_as_coordinator',
           (SELECT coalesce(jsonb_agg(to_jsonb(a.*) ORDER BY a.created_at, a.id), '[]')
              FROM assignment_reminders.assignments a WHERE a.coordinator_id = p.id),
           'contact_corrections',
           (SELECT coalesce(jsonb_agg(to_jsonb(c.*) ORDER BY c.created_at, c.assignment_id, c.number), '[]')
              FROM about_student a JOIN assignment_reminders.contact_corrections c ON c.assignment_id = a.id),
           'assignment_pauses',
           (SELECT coalesce(jsonb_agg(to_jsonb(p.*) ORDER BY p.paused_from, p.id), '[]')
              FROM about_student a JOIN assignment_reminders.assignment_pauses p ON p.assignment_id = a.id),
           'mentor_pauses',
           (SELECT coalesce(jsonb_agg(to_jsonb(p.*) ORDER BY p.paused_from, p.id), '[]')
              FROM mentor m JOIN assignment_reminders.mentor_pauses p ON p.peer_mentor_id = m.id),
           'closed_statements',
           (SELECT coalesce(jsonb_agg(to_jsonb(l.*) ORDER BY c.last_day, l.line), '[]')
              FROM owned o
              JOIN assignment_reminders.closed_statements l ON l.peer_mentor_id = o.id
              JOIN assignment_reminders.closed_periods c ON c.id = l.closed_period_id),
           'activities',
           (SELECT coalesce(jsonb_agg(to_jsonb(t.*) ORDER BY t.occurred_at, t.id), '[]')
              FROM (SELECT t.id FROM about_student a JOIN assignment_reminders.activities t ON t.assignment_id = a.id
                     UNION
                    SELECT t.id FROM assignment_reminders.activities t WHERE t.recorded_by = p.id) AS theirs
              JOIN assignment_reminders.activities t ON t.id = theirs.id),
           'row_history',
           (SELECT coalesce(jsonb_agg(to_jsonb(h.*) ORDER BY h.changed_at, h.number), '[]')
              FROM (SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.row_id = p.id AND h.table_name IN ('users', 'user_preferences')
                     UNION
                    SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.row_id IN (SELECT o.id FROM owned o)
                     UNION
                    SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.belongs_to IN (SELECT o.id FROM owned o)
                     UNION
                    SELECT h.row_id, h.changed_at, h.number FROM assignment_reminders.row_history h
                     WHERE h.table_name = 'activities' AND h.old_values ->> 'recorded_by' = p.id::text
                   ) AS theirs
              JOIN assignment_reminders.row_history h USING (row_id, changed_at, number)),
           'reminder_events',
           (SELECT coalesce(jsonb_agg(to_jsonb(e.*) ORDER BY e.happened_at, e.number), '[]')
              FROM (SELECT e.happened_at, e.number FROM about_student a
                      JOIN assignment_reminders.reminder_events e ON e.assignment_id = a.id AND e.recipient_id IS NULL
                     UNION
                    SELECT e.happened_at, e.number FROM assignment_reminders.reminder_events e WHERE e.recipient_id = p.id) AS theirs
              JOIN assignment_reminders.reminder_events e USING (happened_at, number)),
           'reminders',
           (SELECT coalesce(jsonb_agg(to_jsonb(r.*) ORDER BY r.scheduled_for, r.id), '[]') FROM addressed r),
           'send_logs',
           (SELECT coalesce(jsonb_agg(to_jsonb(l.*) ORDER BY l.created_at, l.id), '[]')
              FROM assignment_reminders.send_logs l
              LEFT JOIN address ON address.address = lower(l.to_email)
             WHERE address.address IS NOT NULL
                   AND NOT EXISTS (SELECT FROM spared s
                                    WHERE s.organization_id = l.organization_id AND s.address = address.address)
                OR l.to_email IS NULL AND l.reminder_id IN (SELECT r.id FROM addressed r)))
      FROM (SELECT assignment_reminders.require_value(export_person.user_id, 'user_id') AS id) AS wanted
      LEFT JOIN person p ON true
     WHERE coalesce(p.id, assignment_reminders.raise_unknown('user', wanted.id)) IS NOT NULL
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{users,user_preferences,peer_mentors,mentor_pauses,assignments,assignment_pauses,activities,contact_corrections,closed_periods,closed_statements,reminders,send_logs,row_history,reminder_events}') THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.export_person(uuid) IS
    'Everything that the tables hold about a person, in one JSON object: the rows, whole, of the person, their preferences (not the token by which they unsubscribe) and their place as a peer mentor; their assignments as student, mentor and coordinator; when they were away as a mentor, and the lines of closed statements about them; corrections, pauses and activities of those as a student, and activities that they recorded; what row_history holds of all of these; reminders that are addressed to them, what became of these, and the logs of messages to their addresses, those of organizations that are gone included. 02000 for an unknown person, 22004 for NULL, 42501 where row security may hide rows.';

-- requires:
--   privacy_reads

-- The versions of a versioned table's rows: of each row that is there, or was deleted since the first moment, what changes replaced is put back, change by
-- change. Of the tables only the one that is asked for is read, all of it, those of an organization, or those with these ids (each by an index of its own).
-- Indexes: row_history_organization_idx or row_history_pkey (of all organizations row_history whole); primary keys;
-- assignments_organization_id_key, activities_assignment_idx and assignment_pauses_assignment_idx for what belongs to the assignments of one:
-- OFFSET 0 keeps these look-ups, where the planner, which knows no organization's size, would read what all have.
CREATE AGGREGATE assignment_reminders.put_back(jsonb) (SFUNC = pg_catalog.jsonb_concat, STYPE = jsonb, INITCOND = '{}');
COMMENT ON AGGREGATE assignment_reminders.put_back(jsonb) IS
    'What row_versions asks: objects put into one, of several values of a name the last.';

CREATE FUNCTION assignment_reminders.row_versions(
    table_name text, first_moment timestamptz, last_moment timestamptz, organization_id uuid DEFAULT NULL, row_ids uuid[] DEFAULT NULL
) RETURNS TABLE (row_id uuid, row_version jsonb, valid_from timestamptz, valid_to timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH change AS MATERIALIZED (
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values
          FROM assignment_reminders.row_history h
         WHERE h.table_name = row_versions.table_name AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values
          FROM assignment_reminders.row_history h
         WHERE h.organization_id = row_versions.organization_id AND h.table_name = row_versions.table_name AND row_versions.row_ids IS NULL
         UNION ALL
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values
          FROM assignment_reminders.row_history h
         WHERE h.row_id = ANY (row_versions.row_ids) AND h.table_name = row_versions.table_name
           AND (h.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
    ), ordered AS MATERIALIZED (
        SELECT c.row_id, c.changed_at, c.number, c.operation, c.old_values,
               lag(c.operation) OVER earlier AS operation_before, lag(c.changed_at) OVER earlier AS changed_before,
               lead(c.row_id) OVER earlier IS NULL AS is_last,
               -- From one delete back to the one before, it is one row.
               count(*) FILTER (WHERE c.operation = 'delete') OVER (PARTITION BY c.row_id ORDER BY c.changed_at DESC, c.number DESC) AS deletes
          FROM change c
        WINDOW earlier AS (PARTITION BY c.row_id ORDER BY c.changed_at, c.number)
    ), replaced AS MATERIALIZED (
        SELECT o.row_id, o.deletes, o.changed_at, o.operation, o.operation_before, o.changed_before,
               first_value(o.old_values) OVER later AS deleted_values,
               -- Of several changes of a column, the value before the first.
               assignment_reminders.put_back(o.old_values) FILTER (WHERE o.operation = 'update') OVER later AS old_values
          FROM ordered o
         WHERE o.changed_at > row_versions.first_moment
        WINDOW later AS (PARTITION BY o.row_id, o.deletes ORDER BY o.changed_at DESC, o.number DESC)
    ), present AS (
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE row_versions.table_name = 'organizations' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE row_versions.table_name = 'organizations' AND row_versions.row_ids IS NULL AND t.id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE row_versions.table_name = 'organizations' AND t.id = ANY (row_versions.row_ids) AND (t.id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE row_versions.table_name = 'reminder_settings' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE row_versions.table_name = 'reminder_settings' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE row_versions.table_name = 'reminder_settings' AND t.organization_id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE row_versions.table_name = 'days_off' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE row_versions.table_name = 'days_off' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE row_versions.table_name = 'days_off' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE row_versions.table_name = 'users' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE row_versions.table_name = 'users' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE row_versions.table_name = 'users' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE row_versions.table_name = 'user_preferences' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE row_versions.table_name = 'user_preferences' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE row_versions.table_name = 'user_preferences' AND t.user_id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE row_versions.table_name = 'peer_mentors' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE row_versions.table_name = 'peer_mentors' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE row_versions.table_name = 'peer_mentors' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE row_versions.table_name = 'assignments' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE row_versions.table_name = 'assignments' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE row_versions.table_name = 'assignments' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE row_versions.table_name = 'assignment_pauses' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.assignment_pauses t WHERE t.assignment_id = a.id OFFSET 0) AS t
         WHERE row_versions.table_name = 'assignment_pauses' AND row_versions.row_ids IS NULL AND a.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE row_versions.table_name = 'assignment_pauses' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE row_versions.table_name = 'mentor_pauses' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE row_versions.table_name = 'mentor_pauses' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE row_versions.table_name = 'mentor_pauses' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE row_versions.table_name = 'contact_corrections' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE row_versions.table_name = 'contact_corrections' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE row_versions.table_name = 'contact_corrections' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE row_versions.table_name = 'activities' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.activities t WHERE t.assignment_id = a.id OFFSET 0) AS t
         WHERE row_versions.table_name = 'activities' AND row_versions.row_ids IS NULL AND a.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE row_versions.table_name = 'activities' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
    ), version AS (
        SELECT p.row_id, p.version, p.created_at, l.operation AS operation_before, l.changed_at AS changed_before, NULL::timestamptz AS valid_to
          FROM present p
          LEFT JOIN (SELECT o.row_id, o.operation, o.changed_at FROM ordered o WHERE o.is_last) AS l USING (row_id)
         UNION ALL
        SELECT r.row_id, v.version,
               CASE WHEN r.deletes = 0 AND NOT r.old_values ? 'created_at' THEN p.created_at ELSE (v.version ->> 'created_at')::timestamptz END,
               r.operation_before, r.changed_before, r.changed_at
          FROM replaced r
          LEFT JOIN present p ON p.row_id = r.row_id AND r.deletes = 0
         CROSS JOIN LATERAL (SELECT CASE r.deletes WHEN 0 THEN p.version ELSE r.deleted_values END || r.old_values AS version) AS v
         WHERE r.operation NOT IN ('insert', 'early insert') AND v.version IS NOT NULL
    )
    SELECT v.row_id,
           CASE row_versions.table_name
                WHEN 'assignments' THEN v.version - 'last_contact_date'
                WHEN 'peer_mentors' THEN v.version - 'assignment_count'
                ELSE v.version END,
           -- In a SELECT of its own it is asked once.
           greatest(since.moment, (SELECT assignment_reminders.history_known_since())), v.valid_to
      FROM version v
     CROSS JOIN LATERAL (
           -- A row that no change tells of is from when it was created: one that was inserted as if it were older is told of.
           SELECT CASE WHEN v.operation_before IN ('insert', 'early insert', 'update') THEN v.changed_before
                       ELSE greatest(v.changed_before, v.created_at) END AS moment
           ) AS since
     WHERE since.moment <= row_versions.last_moment AND (since.moment < v.valid_to OR v.valid_to IS NULL)
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_history(row_versions.table_name, row_versions.first_moment, row_versions.organization_id)
                     OR assignment_reminders.require_value(row_versions.last_moment, 'last_moment') IS NULL THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.row_versions(text, timestamptz, timestamptz, uuid, uuid[]) IS
    'Every version of the rows of a versioned table that held at any moment from first_moment to last_moment: what rows_as_of() says at each, with the same columns and errors.';

CREATE FUNCTION assignment_reminders.rows_as_of(
    table_name text, moment timestamptz, organization_id uuid DEFAULT NULL, row_ids uuid[] DEFAULT NULL
) RETURNS TABLE (row_id uuid, row_version jsonb, valid_from timestamptz, valid_to timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.row_id, v.row_version, v.valid_from, v.valid_to
      FROM assignment_reminders.row_versions($1, $2, $2, $3, $4) AS v
$$;
COMMENT ON FUNCTION assignment_reminders.rows_as_of(text, timestamptz, uuid, uuid[]) IS
    'The rows of a versioned table (organizations, reminder_settings, days_off, users, user_preferences, peer_mentors, assignments, assignment_pauses, mentor_pauses, contact_corrections, activities) as they stood at a moment, a future one being the present: the row as JSON (jsonb_populate_record makes a row of it), from when on it was so, as far as that is known, and until when (NULL: still). NULL organization: all. row_ids: of these alone. Without what is derived and not versioned: last_contact_date, which contact_dates_as_of() gives, and assignment_count; other derived columns (updated_at, soft_bounces, thresholds_changed_at) are those of the next version. A change counts from the moment its statement wrote, an insert from the beginning of its transaction. 22023 for another table, naming these, or for a moment before the history begins, naming it; 22004 for a NULL table or moment, 42501 where row security may hide rows. It needs SELECT on row_history and every versioned table.';

-- The contact dates at a moment, as sql/contact/recompute.sql says them of the present, by the organization's time zone of that moment.
-- Indexes: row_history_organization_idx or row_history_belongs_to_idx (of all organizations row_history whole); activities_assignment_idx, contact_corrections_assignment_number_key where
-- assignments are named.
CREATE FUNCTION assignment_reminders.contact_dates_as_of(
    moment timestamptz, organization_id uuid DEFAULT NULL, assignment_ids uuid[] DEFAULT NULL
) RETURNS TABLE (assignment_id uuid, last_contact_date date)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH changed AS MATERIALIZED (
        -- What has no history is read as it is: most of it has none.
        SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name IN ('activities', 'contact_corrections') AND contact_dates_as_of.assignment_ids IS NULL
           AND contact_dates_as_of.organization_id IS NULL
         UNION
        SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
         WHERE h.organization_id = contact_dates_as_of.organization_id AND h.table_name IN ('activities', 'contact_corrections')
           AND contact_dates_as_of.assignment_ids IS NULL
         UNION
        SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
         WHERE h.belongs_to = ANY (contact_dates_as_of.assignment_ids) AND h.table_name IN ('activities', 'contact_corrections')
         UNION
        -- Those that came from another assignment.
        SELECT h.table_name, h.row_id
          FROM assignment_reminders.activities t
          JOIN assignment_reminders.row_history h ON h.row_id = t.id AND h.table_name = 'activities'
         WHERE t.assignment_id = ANY (contact_dates_as_of.assignment_ids)
    ), zone AS MATERIALIZED (
        SELECT o.row_id AS organization_id, o.row_version ->> 'timezone' AS timezone
          FROM assignment_reminders.rows_as_of('organizations', contact_dates_as_of.moment, contact_dates_as_of.organization_id) AS o
    ), activity AS (
        SELECT t.organization_id, t.assignment_id, t.occurred_at
          FROM assignment_reminders.activities t
         WHERE t.is_contact AND t.overruled_by IS NULL AND t.created_at <= contact_dates_as_of.moment
           AND contact_dates_as_of.assignment_ids IS NULL AND contact_dates_as_of.organization_id IS NULL
           AND t.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')
         UNION ALL
        SELECT t.organization_id, t.assignment_id, t.occurred_at
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.activities t WHERE t.assignment_id = a.id OFFSET 0) AS t
         WHERE t.is_contact AND t.overruled_by IS NULL AND t.created_at <= contact_dates_as_of.moment
           AND contact_dates_as_of.assignment_ids IS NULL AND a.organization_id = contact_dates_as_of.organization_id
           AND t.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')
         UNION ALL
        SELECT t.organization_id, t.assignment_id, t.occurred_at
          FROM assignment_reminders.activities t
         WHERE t.is_contact AND t.overruled_by IS NULL AND t.created_at <= contact_dates_as_of.moment
           AND t.assignment_id = ANY (contact_dates_as_of.assignment_ids)
           AND (t.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
           AND t.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')
         UNION ALL
        SELECT (t.row_version ->> 'organization_id')::uuid, (t.row_version ->> 'assignment_id')::uuid, (t.row_version ->> 'occurred_at')::timestamptz
          FROM assignment_reminders.rows_as_of(
                   'activities', contact_dates_as_of.moment, contact_dates_as_of.organization_id,
                   ARRAY(SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')) AS t
         WHERE (t.row_version ->> 'is_contact')::boolean AND t.row_version ->> 'overruled_by' IS NULL
    ), correction AS (
        SELECT c.assignment_id, c.number, c.new_date
          FROM assignment_reminders.contact_corrections c
         WHERE c.created_at <= contact_dates_as_of.moment AND contact_dates_as_of.assignment_ids IS NULL
           AND (c.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
           AND c.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'contact_corrections')
         UNION ALL
        SELECT c.assignment_id, c.number, c.new_date
          FROM assignment_reminders.contact_corrections c
         WHERE c.created_at <= contact_dates_as_of.moment AND c.assignment_id = ANY (contact_dates_as_of.assignment_ids)
           AND (c.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
           AND c.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'contact_corrections')
         UNION ALL
        SELECT (c.row_version ->> 'assignment_id')::uuid, (c.row_version ->> 'number')::integer, (c.row_version ->> 'new_date')::date
          FROM assignment_reminders.rows_as_of(
                   'contact_corrections', contact_dates_as_of.moment, contact_dates_as_of.organization_id,
                   ARRAY(SELECT c.row_id FROM changed c WHERE c.table_name = 'contact_corrections')) AS c
    ), told AS (
        SELECT a.assignment_id, max((a.occurred_at AT TIME ZONE z.timezone)::date) AS contact_date
          FROM activity a JOIN zone z ON z.organization_id = a.organization_id
         GROUP BY a.assignment_id
         UNION ALL
        SELECT last.assignment_id, last.new_date
          FROM (SELECT DISTINCT ON (c.assignment_id) c.assignment_id, c.new_date
                  FROM correction c ORDER BY c.assignment_id, c.number DESC) AS last
    )
    SELECT t.assignment_id, max(t.contact_date)
      FROM told t
     WHERE t.assignment_id = ANY (contact_dates_as_of.assignment_ids) OR contact_dates_as_of.assignment_ids IS NULL
     GROUP BY t.assignment_id
     LIMIT CASE WHEN NOT assignment_reminders.require_history(
                         'contact_corrections', contact_dates_as_of.moment, contact_dates_as_of.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.contact_dates_as_of(timestamptz, uuid, uuid[]) IS
    'The last contact dates of assignments as they were known at a moment: by the activities and corrections that rows_as_of() gives, in the organization''s time zone of then. None for an assignment of which neither says anything; NULL where a correction said that there was no contact. NULL organization, NULL ids: all. Errors as those of rows_as_of().';

-- requires:
--   history_reads

-- What is told of pay without arithmetic: counts at a moment, and whether what was closed is as it was.

-- Indexes: row_history_organization_idx (of all organizations row_history whole); those of rows_as_of().
CREATE FUNCTION assignment_reminders.assignment_counts_as_of(moment timestamptz, organization_id uuid DEFAULT NULL)
RETURNS SETOF assignment_reminders.mentor_count
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH changed AS MATERIALIZED (
        -- What has no history since is read as it is: most of it has none.
        SELECT h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name = 'assignments' AND h.organization_id = $2 AND h.changed_at > $1
         UNION
        SELECT h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name = 'assignments' AND $2 IS NULL AND h.changed_at > $1
         UNION
        -- Nor what says that it was created later.
        SELECT a.id FROM assignment_reminders.assignments a
         WHERE a.created_at > $1 AND (a.organization_id = $2 OR $2 IS NULL)
    ), had AS (
        SELECT a.organization_id, a.peer_mentor_id
          FROM assignment_reminders.assignments a
         WHERE a.created_at <= $1 AND (a.organization_id = $2 OR $2 IS NULL)
           AND NOT EXISTS (SELECT FROM changed c WHERE c.row_id = a.id)
         UNION ALL
        SELECT (a.row_version ->> 'organization_id')::uuid, (a.row_version ->> 'peer_mentor_id')::uuid
          FROM assignment_reminders.rows_as_of('assignments', $1, $2, ARRAY(SELECT c.row_id FROM changed c)) AS a
    ), counted AS (
        SELECT h.organization_id, h.peer_mentor_id, count(*) AS number FROM had h WHERE h.peer_mentor_id IS NOT NULL GROUP BY 1, 2
    ), mentor AS (
        SELECT (m.row_version ->> 'organization_id')::uuid AS organization_id, m.row_id AS peer_mentor_id
          FROM assignment_reminders.rows_as_of('peer_mentors', $1, $2) AS m
    )
    -- Whoever was deleted a moment before the assignments were nobody's had them until then.
    SELECT organization_id, peer_mentor_id, coalesce(c.number, 0)::integer
      FROM mentor FULL JOIN counted c USING (organization_id, peer_mentor_id)
$$;
COMMENT ON FUNCTION assignment_reminders.assignment_counts_as_of(timestamptz, uuid) IS
    'How many assignments each mentor had at a moment, of every status, as peer_mentors.assignment_count says it of now; 0 for a mentor who had none. By when it was recorded: what was entered later had not been there, whatever its dates. NULL organization: all. A future moment is the present. 22023 for a moment before the history begins, naming it; 22004 for a NULL moment, 42501 where row security may hide rows.';

-- What is in it, one JSON array a line: none of it depends on the settings of a session. Index: closed_statements_pkey.
CREATE FUNCTION assignment_reminders.closed_period_checksum(
    closed_period_id uuid, organization_id uuid, number integer, first_day date, last_day date, began_at timestamptz, ended_at timestamptz,
    timezone text, closed_at timestamptz, closed_by text, closed_by_user uuid, previous_checksum text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT encode(sha256(convert_to(concat_ws(E'\n',
               jsonb_build_array($1, $2, $3, $4, $5, extract(epoch FROM $6)::text, extract(epoch FROM $7)::text, $8,
                                 extract(epoch FROM $9)::text, $10, $11, $12)::text,
               string_agg(line.told, E'\n' ORDER BY line.told COLLATE "C")), 'UTF8')), 'hex')
      FROM (SELECT jsonb_build_array(l.organization_id, l.peer_mentor_id, l.item, l.adjusts, l.number, l.assignment_ids)::text AS told
              FROM assignment_reminders.closed_statements l WHERE l.closed_period_id = $1) AS line
$$;
COMMENT ON FUNCTION assignment_reminders.closed_period_checksum(uuid, uuid, integer, date, date, timestamptz, timestamptz, text, timestamptz, text, uuid, text) IS
    'The SHA-256, in hexadecimal digits, of a closed period with these values and the lines of that id in closed_statements: verify_closed_periods() compares it. The text that is hashed: a JSON array of the values in the order of the arguments, moments as seconds since 1970, then a line for each of the lines, sorted by their bytes: a JSON array of organization_id, peer_mentor_id, item, adjusts, number and assignment_ids. NULL values are null. Without the right to see all lines it is another.';

-- Indexes: closed_periods_organization_number_key, closed_statements_pkey.
CREATE FUNCTION assignment_reminders.verify_closed_periods(organization_id uuid DEFAULT NULL)
RETURNS SETOF assignment_reminders.closed_period_problem
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH period AS (
        SELECT p.*, lag(p.checksum) OVER chain AS checksum_before, coalesce(lag(p.number) OVER chain, 0) AS number_before
          FROM assignment_reminders.closed_periods p
         WHERE p.organization_id = $1 OR $1 IS NULL
        WINDOW chain AS (PARTITION BY p.organization_id ORDER BY p.number)
    )
    SELECT p.organization_id, p.id, p.first_day, p.last_day, found.problem
      FROM period p
     CROSS JOIN LATERAL (
           SELECT 'altered'
            WHERE p.checksum <> assignment_reminders.closed_period_checksum(
                      p.id, p.organization_id, p.number, p.first_day, p.last_day, p.began_at, p.ended_at, p.timezone, p.closed_at, p.closed_by,
                      p.closed_by_user, p.previous_checksum)
            UNION ALL
           SELECT 'missing_before' WHERE p.number <> p.number_before + 1
            UNION ALL
           SELECT 'unchained' WHERE p.number = p.number_before + 1 AND p.previous_checksum IS DISTINCT FROM p.checksum_before
           ) AS found (problem)
     UNION ALL
    SELECT DISTINCT l.organization_id, l.closed_period_id, NULL::date, NULL::date, 'without_period'
      FROM assignment_reminders.closed_statements l
     WHERE (l.organization_id = $1 OR $1 IS NULL)
       AND NOT EXISTS (SELECT FROM assignment_reminders.closed_periods p WHERE p.id = l.closed_period_id AND p.organization_id = l.organization_id)
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{closed_periods,closed_statements}', $1) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.verify_closed_periods(uuid) IS
    'The closed periods that are not as they were closed, after a restore for example; none where all are. altered: the period or a line of it is another, or a line is missing. missing_before: the period before it is not there. unchained: the period before it is another than when it was closed. without_period: lines whose period is not there. That the last periods are missing, or that all was written anew with checksums that fit, only a checksum tells that was noted elsewhere. NULL organization: all. 42501 where row security may hide rows.';

-- requires:
--   pay_reads

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

-- requires:
--   silences

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

-- requires:
--   silence_as_of

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

-- requires:
--   forgotten

-- What ties tables of ours together, as the catalog has it: install() and evaluation_health() compare it with
-- sql/install/definitions.txt. Postgres writes each definition itself; a trigger that does not fire says so after it.
CREATE FUNCTION assignment_reminders.installed_definitions()
RETURNS TABLE (kind text, relation text, name text, definition text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
-- By which Postgres writes constants and names.
SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres' SET quote_all_identifiers = off
AS $$
    WITH ours AS (
        SELECT c.oid, c.relname::text AS relation, c.relkind, c.reloptions
          FROM pg_class c
         WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'assignment_reminders')
    )
    SELECT 'trigger', o.relation, t.tgname::text,
           pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' REPLICA ONLY' ELSE '' END
      FROM ours o
      JOIN pg_trigger t ON t.tgrelid = o.oid
     WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'default', o.relation, a.attname::text, pg_get_expr(d.adbin, d.adrelid)
      FROM ours o
      JOIN pg_attrdef d ON d.adrelid = o.oid
      JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
     WHERE a.attname = 'organization_id'
    UNION ALL
    -- Not those of NOT NULL, which are constraints from Postgres 18 on.
    SELECT 'constraint', o.relation, c.conname::text, pg_get_constraintdef(c.oid)
      FROM ours o
      JOIN pg_constraint c ON c.conrelid = o.oid
     WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    -- Those of constraints are named there.
    SELECT 'index', o.relation, i.relname::text,
           -- Of a table that its owner partitioned, it is the same index.
           replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
      FROM ours o
      JOIN pg_index x ON x.indrelid = o.oid
      JOIN pg_class i ON i.oid = x.indexrelid
     WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'view', o.relation, o.relation, concat_ws(' ', o.reloptions::text, pg_get_viewdef(o.oid))
      FROM ours o
     WHERE o.relkind = 'v'
$$;
COMMENT ON FUNCTION assignment_reminders.installed_definitions() IS
    'The triggers, defaults of organization_id, constraints, indexes and views in the schema assignment_reminders, as the catalog has them.';

-- assignment_reminders::access::person::administered_organization
CREATE FUNCTION "administered_organization"() RETURNS uuid
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'administered_organization_wrapper';

-- assignment_reminders::bindings::after_loss
CREATE FUNCTION "after_loss"(
	"attempts" INT,
	"max_attempts" INT
) RETURNS TEXT
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'after_loss_wrapper';

-- assignment_reminders::install::definitions::altered_definitions
CREATE FUNCTION "altered_definitions"() RETURNS TABLE (kind text, relation text, name text, expected text, actual text)
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'altered_definitions_wrapper';

-- assignment_reminders::explain::timeline::assignment_timeline
CREATE FUNCTION "assignment_timeline"(
	"assignment_id" uuid
) RETURNS TABLE (happened_at timestamptz, recorded_at timestamptz, event text, row_id uuid, old_value text, new_value text, reason text, reminder_type text, recipient_id uuid, changed_by text, changed_by_user uuid, text text)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'assignment_timeline_wrapper';

-- assignment_reminders::organization::chosen_organization
CREATE FUNCTION "chosen_organization"(
	"organization_id" uuid
) RETURNS uuid
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'chosen_organization_wrapper';

-- assignment_reminders::delivery::digest::claim_digests
CREATE FUNCTION "claim_digests"(
	"batch_size" INT DEFAULT 100,
	"lease" interval DEFAULT interval '5 minutes',
	"organization_id" uuid DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (claim_id uuid, claimed_until timestamptz, idempotency_key text, organization_id uuid, organization_name text, recipient_id uuid, recipient_email text, recipient_name text, recipient_timezone text, recipient_locale text, unsubscribe_token text, reminder_ids uuid[], items jsonb)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'claim_digests_wrapper';

-- assignment_reminders::delivery::claim::claim_reminders
CREATE FUNCTION "claim_reminders"(
	"batch_size" INT DEFAULT 100,
	"lease" interval DEFAULT interval '5 minutes',
	"organization_id" uuid DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (reminder_id uuid, claim_id uuid, claimed_until timestamptz, idempotency_key text, organization_id uuid, reminder_type text, recipient_id uuid, recipient_email text, recipient_name text, recipient_timezone text, assignment_id uuid, assignment_title text, student_name text, peer_mentor_name text, last_contact_date date, days_since integer, due_at timestamptz, due_at_local timestamp, anchor timestamptz, scheduled_for timestamptz, attempts integer)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'claim_reminders_wrapper';

-- assignment_reminders::pay::close::close_period
CREATE FUNCTION "close_period"(
	"organization_id" uuid,
	"last_day" date,
	"first_day" date DEFAULT NULL
) RETURNS assignment_reminders.closed_period
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'close_period_wrapper';

-- assignment_reminders::access::person::coordinated_organization
CREATE FUNCTION "coordinated_organization"() RETURNS uuid
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'coordinated_organization_wrapper';

-- assignment_reminders::contact::correction::correct_last_contact_date
CREATE FUNCTION "correct_last_contact_date"(
	"assignment_id" uuid,
	"new_date" date,
	"reason" TEXT
) RETURNS date
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'correct_last_contact_date_wrapper';

-- assignment_reminders::organization::current_organization
CREATE FUNCTION "current_organization"() RETURNS uuid
STRICT STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'current_organization_wrapper';

-- assignment_reminders::access::person::current_peer_mentor_id
CREATE FUNCTION "current_peer_mentor_id"() RETURNS uuid
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'current_peer_mentor_id_wrapper';

-- assignment_reminders::access::person::current_user_id
CREATE FUNCTION "current_user_id"() RETURNS uuid
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c
AS 'MODULE_PATHNAME', 'current_user_id_wrapper';

-- assignment_reminders::bindings::days_since_last_contact
CREATE FUNCTION "days_since_last_contact"(
	"last_contact_date" date,
	"as_of" date DEFAULT current_date
) RETURNS INT
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'days_since_last_contact_wrapper';

-- assignment_reminders::organization::default_organization
CREATE FUNCTION "default_organization"() RETURNS uuid
STRICT STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'default_organization_wrapper';

-- assignment_reminders::access::policies::disable_row_security
CREATE FUNCTION "disable_row_security"() RETURNS TEXT
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'disable_row_security_wrapper';

-- assignment_reminders::bindings::dispatched_at
CREATE FUNCTION "dispatched_at"(
	"mentor_unreachable" TEXT,
	"in_this_silence" bool,
	"status" TEXT,
	"skip_reason" TEXT,
	"sent_at" timestamp with time zone,
	"scheduled_for" timestamp with time zone,
	"as_of" timestamp with time zone
) RETURNS timestamp with time zone
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'dispatched_at_wrapper';

-- assignment_reminders::bindings::due_reminder_type
CREATE FUNCTION "due_reminder_type"(
	"due_offset" interval
) RETURNS TEXT
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'due_reminder_type_wrapper';

-- assignment_reminders::bindings::due_reminder_types
CREATE FUNCTION "due_reminder_types"(
	"due_offset" interval
) RETURNS TEXT[]
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'due_reminder_types_wrapper';

-- assignment_reminders::due::windows::due_windows
CREATE FUNCTION "due_windows"(
	"unit" TEXT,
	"targets" INT[],
	"tolerance" INT,
	"as_of" timestamp with time zone
) RETURNS TABLE (target integer, reminder_type text, due_from timestamptz, due_to timestamptz)
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'due_windows_wrapper';

-- assignment_reminders::access::policies::enable_row_security
CREATE FUNCTION "enable_row_security"(
	"member_role" TEXT,
	"worker_role" TEXT DEFAULT NULL
) RETURNS TEXT
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'enable_row_security_wrapper';

-- assignment_reminders::daily::alerts::enqueue_alerts
CREATE FUNCTION "enqueue_alerts"(
	"max_age" interval DEFAULT interval '26 hours',
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (reminder_id uuid, organization_id uuid, recipient_id uuid, reminder_type text, anchor timestamptz)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'enqueue_alerts_wrapper';

-- assignment_reminders::due::enqueue::enqueue_daily_summaries
CREATE FUNCTION "enqueue_daily_summaries"(
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (reminder_id uuid, organization_id uuid, recipient_id uuid, anchor timestamptz, scheduled_for timestamptz)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'enqueue_daily_summaries_wrapper';

-- assignment_reminders::due::enqueue::enqueue_due_reminders
CREATE FUNCTION "enqueue_due_reminders"(
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (reminder_id uuid, organization_id uuid, assignment_id uuid, reminder_type text, anchor timestamptz, scheduled_for timestamptz)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'enqueue_due_reminders_wrapper';

-- assignment_reminders::bindings::evaluate_assignment
CREATE FUNCTION "evaluate_assignment"(
	"assignment_id" uuid,
	"as_of" date DEFAULT NULL
) RETURNS assignment_reminders.evaluation
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'evaluate_row_wrapper';

-- assignment_reminders::bindings::evaluate_assignment
CREATE FUNCTION "evaluate_assignment"(
	"last_contact_date" date,
	"assigned_on" date,
	"last_reminder_sent_at" timestamp with time zone,
	"reminder_after_days" INT,
	"escalate_after_days" INT,
	"as_of" date DEFAULT current_date
) RETURNS assignment_reminders.evaluation
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'evaluate_values_wrapper';

-- assignment_reminders::bindings::evaluate_assignment
CREATE FUNCTION "evaluate_assignment"(
	"last_contact_date" date,
	"assigned_on" date,
	"last_reminder_sent_at" timestamp with time zone,
	"reminder_after_days" INT,
	"escalate_after_days" INT,
	"as_of" date,
	"escalation_grace_days" INT
) RETURNS assignment_reminders.evaluation
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'evaluate_values_with_grace_wrapper';

-- assignment_reminders::bindings::evaluate_silence
CREATE FUNCTION "evaluate_silence"(
	"facts" assignment_reminders.silence_facts
) RETURNS assignment_reminders.called
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'evaluate_silence_wrapper';

-- assignment_reminders::daily::health::evaluation_health
CREATE FUNCTION "evaluation_health"(
	"max_age" interval DEFAULT interval '26 hours',
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (status text, reasons text[], last_run_at timestamptz)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'evaluation_health_wrapper';

-- assignment_reminders::bindings::every_silence_is_heard
CREATE FUNCTION "every_silence_is_heard"(
	"reminder_after_days" INT,
	"escalate_after_days" INT,
	"escalation_grace_days" INT,
	"as_of" date,
	"weekly_days_off" INT[],
	"off_from" date[],
	"off_until" date[],
	"follow_up_from" date
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'every_silence_is_heard_wrapper';

-- assignment_reminders::organization::existing_organization
CREATE FUNCTION "existing_organization"(
	"organization_id" uuid
) RETURNS uuid
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'existing_organization_wrapper';

-- assignment_reminders::explain::assignment::explain_assignment
CREATE FUNCTION "explain_assignment"(
	"assignment_id" uuid,
	"as_of" timestamp with time zone DEFAULT now(),
	"known_at" timestamp with time zone DEFAULT NULL
) RETURNS TABLE (organization_id uuid, assignment_id uuid, title text, today date, action text, would_enqueue boolean, state text, silent_since date, days_since integer, counted_days integer, days_not_counted jsonb, reminder_after_days integer, escalate_after_days integer, escalation_grace_days integer, mentor_id uuid, mentor_name text, coordinator_id uuid, coordinator_name text, next_action text, next_on date, forgotten text, gates jsonb, happened jsonb, sentences jsonb, explanation text)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'explain_assignment_wrapper';

-- assignment_reminders::delivery::answer::extend_reminder_lease
CREATE FUNCTION "extend_reminder_lease"(
	"reminder_id" uuid,
	"claim_id" uuid,
	"lease" interval DEFAULT interval '5 minutes',
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'extend_reminder_lease_wrapper';

-- assignment_reminders::delivery::answer::extend_reminder_leases
CREATE FUNCTION "extend_reminder_leases"(
	"reminder_ids" uuid[],
	"claim_id" uuid,
	"lease" interval DEFAULT interval '5 minutes',
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'extend_reminder_leases_wrapper';

-- assignment_reminders::explain::effect::follow_up_effect
CREATE FUNCTION "follow_up_effect"(
	"first_day" date,
	"last_day" date,
	"organization_id" uuid DEFAULT NULL
) RETURNS TABLE (organization_id uuid, peer_mentor_id uuid, kind text, sent integer, followed_by_contact integer, within_3_days integer, within_7_days integer, within_14_days integer, median_days integer, followed_by_message integer, still_silent integer, no_longer_awaited integer)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'follow_up_effect_wrapper';

-- assignment_reminders::privacy::forget_person
CREATE FUNCTION "forget_person"(
	"user_id" uuid
) RETURNS TABLE (users bigint, user_preferences bigint, unsubscribe_tokens bigint, assignments bigint, assignment_pauses bigint, mentor_pauses bigint, contact_corrections bigint, activities bigint, reminders bigint, skipped bigint, send_logs bigint, evaluation_runs bigint, row_history bigint)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'forget_person_wrapper';

-- assignment_reminders::bindings::goes_to_fallback
CREATE FUNCTION "goes_to_fallback"(
	"coordinator_unreachable" TEXT,
	"fallback_unreachable" TEXT
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'goes_to_fallback_wrapper';

-- assignment_reminders::history::horizon::history_known_since
CREATE FUNCTION "history_known_since"() RETURNS timestamp with time zone
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'history_known_since_wrapper';

-- assignment_reminders::install::install
CREATE FUNCTION "install"() RETURNS TEXT
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'install_wrapper';

-- assignment_reminders::access::api::install_api
CREATE FUNCTION "install_api"(
	"schema_name" TEXT
) RETURNS TEXT
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'install_api_wrapper';

-- assignment_reminders::delivery::asked::is_called_for
CREATE FUNCTION "is_called_for"(
	"reminder_type" TEXT,
	"assignment_id" uuid,
	"as_of" timestamp with time zone
) RETURNS bool
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_called_for_wrapper';

-- assignment_reminders::bindings::is_day_off
CREATE FUNCTION "is_day_off"(
	"day" date,
	"weekly_days_off" INT[],
	"off_from" date[],
	"off_until" date[],
	"follow_up_from" date
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_day_off_wrapper';

-- assignment_reminders::bindings::is_due_offset_open
CREATE FUNCTION "is_due_offset_open"(
	"due_at" timestamp with time zone,
	"created_at" timestamp with time zone,
	"due_offset" interval,
	"longest_offset" interval,
	"as_of" timestamp with time zone
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_due_offset_open_wrapper';

-- assignment_reminders::bindings::is_escalation_due
CREATE FUNCTION "is_escalation_due"(
	"days" INT,
	"threshold" INT,
	"last_reminder_sent_at" timestamp with time zone
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_escalation_due_wrapper';

-- assignment_reminders::bindings::is_escalation_due
CREATE FUNCTION "is_escalation_due"(
	"days" INT,
	"threshold" INT,
	"days_since_reminder" INT,
	"escalation_grace_days" INT
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_escalation_due_after_grace_wrapper';

-- assignment_reminders::bindings::is_evaluation_due
CREATE FUNCTION "is_evaluation_due"(
	"as_of" timestamp with time zone,
	"todays_hour" timestamp with time zone,
	"yesterdays_hour" timestamp with time zone,
	"turn_at" timestamp with time zone,
	"last_runs" timestamp with time zone[],
	"is_released" bool
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_evaluation_due_wrapper';

-- assignment_reminders::bindings::is_held
CREATE FUNCTION "is_held"(
	"backlog" bigint,
	"follow_up_limit" INT,
	"is_released" bool
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_held_wrapper';

-- assignment_reminders::bindings::is_muted
CREATE FUNCTION "is_muted"(
	"muted_types" TEXT[],
	"reminder_type" TEXT
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_muted_wrapper';

-- assignment_reminders::bindings::is_of_due_offset
CREATE FUNCTION "is_of_due_offset"(
	"reminder_type" TEXT,
	"due_offsets" interval[]
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_of_due_offset_wrapper';

-- assignment_reminders::bindings::is_reachable
CREATE FUNCTION "is_reachable"(
	"contact_opt_out" bool,
	"email" TEXT,
	"is_muted" bool DEFAULT false
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_reachable_wrapper';

-- assignment_reminders::bindings::is_rearmed
CREATE FUNCTION "is_rearmed"(
	"reminder_type" TEXT,
	"anchor" timestamp with time zone,
	"status" TEXT,
	"skip_reason" TEXT,
	"due_anchor" timestamp with time zone,
	"due_skip_reason" TEXT,
	"is_of_another_mentor" bool DEFAULT false,
	"is_for_another" bool DEFAULT false
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_rearmed_wrapper';

-- assignment_reminders::bindings::is_reminder_due
CREATE FUNCTION "is_reminder_due"(
	"days" INT,
	"threshold" INT
) RETURNS bool
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_reminder_due_wrapper';

-- assignment_reminders::bindings::is_same_due_date
CREATE FUNCTION "is_same_due_date"(
	"one" timestamp with time zone,
	"other" timestamp with time zone
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_same_due_date_wrapper';

-- assignment_reminders::bindings::is_unreachable
CREATE FUNCTION "is_unreachable"(
	"skip_reason" TEXT
) RETURNS bool
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'is_unreachable_wrapper';

-- assignment_reminders::daily::organizations::last_runs
CREATE FUNCTION "last_runs"(
	"as_of" timestamp with time zone
) RETURNS timestamp with time zone[]
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'last_runs_wrapper';

-- assignment_reminders::bindings::latest_starts_of_silence
CREATE FUNCTION "latest_starts_of_silence"(
	"reminder_after_days" INT,
	"escalate_after_days" INT,
	"as_of" date,
	"weekly_days_off" INT[] DEFAULT NULL,
	"off_from" date[] DEFAULT NULL,
	"off_until" date[] DEFAULT NULL,
	"follow_up_from" date DEFAULT NULL
) RETURNS assignment_reminders.latest_starts
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'latest_starts_of_silence_wrapper';

-- assignment_reminders::delivery::asked::lock_for_reminders
CREATE FUNCTION "lock_for_reminders"(
	"table_name" TEXT,
	"ids" uuid[],
	"emails" TEXT[] DEFAULT NULL
) RETURNS uuid[]
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'lock_for_reminders_wrapper';

-- assignment_reminders::delivery::answer::mark_digest_sent
CREATE FUNCTION "mark_digest_sent"(
	"reminder_ids" uuid[],
	"claim_id" uuid,
	"message_id" TEXT DEFAULT NULL,
	"from_inbox" TEXT DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'mark_digest_sent_wrapper';

-- assignment_reminders::delivery::answer::mark_reminder_failed
CREATE FUNCTION "mark_reminder_failed"(
	"reminder_id" uuid,
	"claim_id" uuid,
	"error" TEXT,
	"permanent" bool DEFAULT false,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'mark_reminder_failed_wrapper';

-- assignment_reminders::delivery::answer::mark_reminder_sent
CREATE FUNCTION "mark_reminder_sent"(
	"reminder_id" uuid,
	"claim_id" uuid,
	"message_id" TEXT DEFAULT NULL,
	"from_inbox" TEXT DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'mark_reminder_sent_wrapper';

-- assignment_reminders::delivery::answer::mark_reminders_failed
CREATE FUNCTION "mark_reminders_failed"(
	"reminder_ids" uuid[],
	"claim_id" uuid,
	"errors" TEXT[],
	"permanent" bool[] DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'mark_reminders_failed_wrapper';

-- assignment_reminders::delivery::answer::mark_reminders_sent
CREATE FUNCTION "mark_reminders_sent"(
	"reminder_ids" uuid[],
	"claim_id" uuid,
	"message_ids" TEXT[] DEFAULT NULL,
	"from_inbox" TEXT DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'mark_reminders_sent_wrapper';

-- assignment_reminders::pay::statement::mentor_statement
CREATE FUNCTION "mentor_statement"(
	"first_day" date,
	"last_day" date,
	"organization_id" uuid DEFAULT NULL
) RETURNS TABLE (peer_mentor_id uuid, item text, number integer, assignment_ids uuid[], adjusts date)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'mentor_statement_wrapper';

-- assignment_reminders::clock::merge::merge_peer_mentors
CREATE FUNCTION "merge_peer_mentors"(
	"from_peer_mentor_id" uuid,
	"into_peer_mentor_id" uuid
) RETURNS bigint
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'merge_peer_mentors_wrapper';

-- assignment_reminders::organization::named_organization
CREATE FUNCTION "named_organization"() RETURNS uuid
STRICT STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'named_organization_wrapper';

-- assignment_reminders::daily::health::organization_health
CREATE FUNCTION "organization_health"(
	"organization_id" uuid DEFAULT NULL,
	"max_age" interval DEFAULT interval '26 hours',
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (status text, reasons text[], last_run_at timestamptz)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'organization_health_wrapper';

-- assignment_reminders::organization::organization_in_sight
CREATE FUNCTION "organization_in_sight"() RETURNS uuid
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'organization_in_sight_wrapper';

-- assignment_reminders::organization::organization_timezone
CREATE FUNCTION "organization_timezone"(
	"organization_id" uuid
) RETURNS TEXT
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'organization_timezone_wrapper';

-- assignment_reminders::bindings::outlook_of
CREATE FUNCTION "outlook_of"(
	"facts" assignment_reminders.silence_facts,
	"coordinator_unreachable" TEXT,
	"escalation_status" TEXT,
	"escalation_skip_reason" TEXT,
	"escalation_has_come_back" bool,
	"escalation_is_for_another" bool,
	"is_held" bool,
	"has_settings" bool
) RETURNS assignment_reminders.outlook
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'outlook_of_wrapper';

-- assignment_reminders::clock::pause::pause_assignment
CREATE FUNCTION "pause_assignment"(
	"assignment_id" uuid,
	"until" date DEFAULT NULL,
	"reason" TEXT DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'pause_assignment_wrapper';

-- assignment_reminders::clock::pause::pause_mentor
CREATE FUNCTION "pause_mentor"(
	"peer_mentor_id" uuid,
	"until" date DEFAULT NULL,
	"reason" TEXT DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'pause_mentor_wrapper';

-- assignment_reminders::delivery::asked::paused_among
CREATE FUNCTION "paused_among"(
	"assignment_ids" uuid[],
	"as_of" timestamp with time zone
) RETURNS uuid[]
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'paused_among_wrapper';

-- assignment_reminders::delivery::operate::prune
CREATE FUNCTION "prune"(
	"older_than" interval,
	"batch_size" INT DEFAULT 10000,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (send_logs bigint, evaluation_runs bigint)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'prune_wrapper';

-- assignment_reminders::history::prune::prune_history
CREATE FUNCTION "prune_history"(
	"before" timestamp with time zone,
	"batch_size" INT DEFAULT 10000
) RETURNS TABLE (row_history bigint, reminder_events bigint)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'prune_history_wrapper';

-- assignment_reminders::arguments::raise_unknown
CREATE FUNCTION "raise_unknown"(
	"what" TEXT,
	"id" uuid
) RETURNS uuid
STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'raise_unknown_wrapper';

-- assignment_reminders::delivery::events::record_delivery_event
CREATE FUNCTION "record_delivery_event"(
	"message_id" TEXT,
	"status" TEXT,
	"error" TEXT DEFAULT NULL,
	"event_id" TEXT DEFAULT NULL,
	"permanent" bool DEFAULT NULL
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'record_delivery_event_wrapper';

-- assignment_reminders::delivery::answer::record_delivery_failure
CREATE FUNCTION "record_delivery_failure"(
	"reminder_id" uuid,
	"claim_id" uuid,
	"fault" TEXT,
	"error" TEXT,
	"permanent" bool DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'record_delivery_failure_wrapper';

-- assignment_reminders::delivery::answer::record_delivery_failures
CREATE FUNCTION "record_delivery_failures"(
	"reminder_ids" uuid[],
	"claim_id" uuid,
	"faults" TEXT[],
	"errors" TEXT[],
	"permanent" bool[] DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'record_delivery_failures_wrapper';

-- assignment_reminders::delivery::answer::record_digest_failure
CREATE FUNCTION "record_digest_failure"(
	"reminder_ids" uuid[],
	"claim_id" uuid,
	"fault" TEXT,
	"error" TEXT,
	"permanent" bool DEFAULT NULL,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'record_digest_failure_wrapper';

-- assignment_reminders::delivery::events::record_provider_message
CREATE FUNCTION "record_provider_message"(
	"message_id" TEXT,
	"provider_message_id" TEXT
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'record_provider_message_wrapper';

-- assignment_reminders::daily::guard::release_held_run
CREATE FUNCTION "release_held_run"(
	"organization_id" uuid
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'release_held_run_wrapper';

-- assignment_reminders::bindings::reminder_kind
CREATE FUNCTION "reminder_kind"(
	"reminder_type" TEXT
) RETURNS assignment_reminders.reminder_kind
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'reminder_kind_wrapper';

-- assignment_reminders::bindings::reminder_kinds
CREATE FUNCTION "reminder_kinds"() RETURNS TABLE (kind text, reminder_type text, follows text, addressee text)
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'reminder_kinds_wrapper';

-- assignment_reminders::bindings::reminder_type_of
CREATE FUNCTION "reminder_type_of"(
	"kind" TEXT
) RETURNS TEXT
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'reminder_type_of_wrapper';

-- assignment_reminders::counts::repair_assignment_counts
CREATE FUNCTION "repair_assignment_counts"() RETURNS TABLE (organization_id uuid, peer_mentor_id uuid, wrong_count integer, actual_count integer)
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'repair_assignment_counts_wrapper';

-- assignment_reminders::contact::repair::repair_contact_dates
CREATE FUNCTION "repair_contact_dates"() RETURNS TABLE (organization_id uuid, assignment_id uuid, wrong_date date, actual_date date)
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'repair_contact_dates_wrapper';

-- assignment_reminders::history::horizon::require_history
CREATE FUNCTION "require_history"(
	"table_name" TEXT,
	"moment" timestamp with time zone,
	"organization_id" uuid
) RETURNS bool
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'require_history_wrapper';

-- assignment_reminders::arguments::require_moment
CREATE FUNCTION "require_moment"(
	"as_of" timestamp with time zone
) RETURNS timestamp with time zone
STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'require_moment_wrapper';

-- assignment_reminders::organization::require_organization
CREATE FUNCTION "require_organization"(
	"is_required" bool
) RETURNS INT
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'require_organization_wrapper';

-- assignment_reminders::arguments::require_page_size
CREATE FUNCTION "require_page_size"(
	"page_size" INT
) RETURNS INT
STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'require_page_size_wrapper';

-- assignment_reminders::arguments::require_value
CREATE FUNCTION "require_value"(
	"value" anyelement,
	"name" TEXT
) RETURNS anyelement
STABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'require_value_wrapper';

-- assignment_reminders::server::row_security::require_whole
CREATE FUNCTION "require_whole"(
	"tables" TEXT[],
	"organization_id" uuid DEFAULT NULL
) RETURNS bool
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'require_whole_wrapper';

-- assignment_reminders::delivery::events::restore_contact
CREATE FUNCTION "restore_contact"(
	"user_id" uuid
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'restore_contact_wrapper';

-- assignment_reminders::clock::pause::resume_assignment
CREATE FUNCTION "resume_assignment"(
	"assignment_id" uuid,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'resume_assignment_wrapper';

-- assignment_reminders::clock::pause::resume_mentor
CREATE FUNCTION "resume_mentor"(
	"peer_mentor_id" uuid,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'resume_mentor_wrapper';

-- assignment_reminders::delivery::operate::retry_failed_reminders
CREATE FUNCTION "retry_failed_reminders"(
	"failed_since" timestamp with time zone DEFAULT '-infinity',
	"organization_id" uuid DEFAULT NULL,
	"batch_size" INT DEFAULT 10000,
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS INT
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'retry_failed_reminders_wrapper';

-- assignment_reminders::delivery::answer::return_reminders
CREATE FUNCTION "return_reminders"(
	"reminder_ids" uuid[],
	"claim_id" uuid
) RETURNS SETOF uuid
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'return_reminders_wrapper';

-- assignment_reminders::daily::run::run_daily_evaluation
CREATE FUNCTION "run_daily_evaluation"(
	"as_of" timestamp with time zone DEFAULT now()
) RETURNS TABLE (reminder_id uuid, organization_id uuid, assignment_id uuid, action text, days_since integer, reminder_type text, recipient_id uuid, skip_reason text, anchor timestamptz)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'run_daily_evaluation_wrapper';

-- assignment_reminders::daily::schedule::schedule_daily_evaluation
CREATE FUNCTION "schedule_daily_evaluation"(
	"schedule" TEXT DEFAULT '0 * * * *',
	"watchdog_schedule" TEXT DEFAULT '30 * * * *',
	"max_age" interval DEFAULT interval '26 hours'
) RETURNS TABLE (job_id bigint, job_name text, schedule text, command text)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'schedule_daily_evaluation_wrapper';

-- assignment_reminders::due::schedule::schedule_delivery_jobs
CREATE FUNCTION "schedule_delivery_jobs"(
	"due_schedule" TEXT DEFAULT '* * * * *',
	"summary_schedule" TEXT DEFAULT '*/15 * * * *'
) RETURNS TABLE (job_id bigint, job_name text, schedule text, command text)
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'schedule_delivery_jobs_wrapper';

-- assignment_reminders::explain::simulation::simulate_follow_ups
CREATE FUNCTION "simulate_follow_ups"(
	"organization_id" uuid,
	"first_day" date,
	"last_day" date,
	"settings" jsonb DEFAULT '{}'
) RETURNS TABLE (day date, is_day_off boolean, reminders integer, escalations integer, undeliverable integer)
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'simulate_follow_ups_wrapper';

-- assignment_reminders::bindings::skip_reason
CREATE FUNCTION "skip_reason"(
	"facts" assignment_reminders.reminder_facts
) RETURNS TEXT
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'skip_reason_by_facts_wrapper';

-- assignment_reminders::delivery::ids::time_ordered_id
CREATE FUNCTION "time_ordered_id"() RETURNS uuid
STRICT VOLATILE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'time_ordered_id_wrapper';

-- assignment_reminders::install::uninstall::uninstall
CREATE FUNCTION "uninstall"() RETURNS TEXT
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'uninstall_wrapper';

-- assignment_reminders::bindings::unreachable_reason
CREATE FUNCTION "unreachable_reason"(
	"addressee" TEXT,
	"is_opted_out" bool,
	"has_address" bool,
	"is_muted" bool
) RETURNS TEXT
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'unreachable_reason_wrapper';

-- assignment_reminders::daily::schedule::unschedule_daily_evaluation
CREATE FUNCTION "unschedule_daily_evaluation"() RETURNS INT
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'unschedule_daily_evaluation_wrapper';

-- assignment_reminders::due::schedule::unschedule_delivery_jobs
CREATE FUNCTION "unschedule_delivery_jobs"() RETURNS INT
STRICT VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'unschedule_delivery_jobs_wrapper';

-- assignment_reminders::delivery::unsubscribe::unsubscribe
CREATE FUNCTION "unsubscribe"(
	"token" TEXT,
	"reminder_type" TEXT DEFAULT NULL
) RETURNS bool
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'unsubscribe_wrapper';

-- assignment_reminders::delivery::unsubscribe::unsubscribe_token
CREATE FUNCTION "unsubscribe_token"(
	"user_id" uuid
) RETURNS TEXT
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'unsubscribe_token_wrapper';

-- assignment_reminders::delivery::unsubscribe::unsubscribe_tokens_of
CREATE FUNCTION "unsubscribe_tokens_of"(
	"user_ids" uuid[]
) RETURNS TEXT[]
STRICT STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'unsubscribe_tokens_of_wrapper';

-- assignment_reminders::contact::correction::update_last_contact_date
CREATE FUNCTION "update_last_contact_date"(
	"assignment_id" uuid,
	"contact_date" date
) RETURNS date
VOLATILE
LANGUAGE c
AS 'MODULE_PATHNAME', 'update_last_contact_date_wrapper';

-- assignment_reminders::daily::health::watch_daily_evaluation
CREATE FUNCTION "watch_daily_evaluation"(
	"max_age" interval DEFAULT interval '26 hours'
) RETURNS TEXT
STABLE
LANGUAGE c
AS 'MODULE_PATHNAME', 'watch_daily_evaluation_wrapper';

-- assignment_reminders::privacy::without_addresses
CREATE FUNCTION "without_addresses"(
	"text" TEXT,
	"addresses" TEXT[],
	"spared" TEXT[]
) RETURNS TEXT
IMMUTABLE PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'without_addresses_wrapper';

-- assignment_reminders::privacy::without_text
CREATE FUNCTION "without_text"(
	"report" TEXT
) RETURNS TEXT
IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'without_text_wrapper';

-- assignment_reminders::contact::correction::apply_correction
CREATE FUNCTION "apply_correction"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'apply_correction_wrapper';

-- assignment_reminders::row_triggers::begin_episode
CREATE FUNCTION "begin_episode"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'begin_episode_wrapper';

-- assignment_reminders::install::create_reminder_settings
CREATE FUNCTION "create_reminder_settings"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'create_reminder_settings_wrapper';

-- assignment_reminders::install::create_unsubscribe_tokens
CREATE FUNCTION "create_unsubscribe_tokens"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'create_unsubscribe_tokens_wrapper';

-- assignment_reminders::clock::day::fill_assignment
CREATE FUNCTION "fill_assignment"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'fill_assignment_wrapper';

-- assignment_reminders::row_triggers::forget_bounces
CREATE FUNCTION "forget_bounces"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'forget_bounces_wrapper';

-- assignment_reminders::contact::triggers::forget_overruling
CREATE FUNCTION "forget_overruling"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'forget_overruling_wrapper';

-- assignment_reminders::history::events::keep_changed
CREATE FUNCTION "keep_changed"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'keep_changed_wrapper';

-- assignment_reminders::delivery::deleted::keep_claim
CREATE FUNCTION "keep_claim"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'keep_claim_wrapper';

-- assignment_reminders::clock::kept::keep_closed_days
CREATE FUNCTION "keep_closed_days"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'keep_closed_days_wrapper';

-- assignment_reminders::clock::kept::keep_leave
CREATE FUNCTION "keep_leave"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'keep_leave_wrapper';

-- assignment_reminders::clock::kept::keep_leave_of_all
CREATE FUNCTION "keep_leave_of_all"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'keep_leave_of_all_wrapper';

-- assignment_reminders::history::keep::keep_versions
CREATE FUNCTION "keep_versions"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'keep_versions_wrapper';

-- assignment_reminders::counts::maintain_assignment_count
CREATE FUNCTION "maintain_assignment_count"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'maintain_assignment_count_wrapper';

-- assignment_reminders::contact::triggers::maintain_last_contact_date
CREATE FUNCTION "maintain_last_contact_date"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'maintain_last_contact_date_wrapper';

-- assignment_reminders::history::events::note_changed
CREATE FUNCTION "note_changed"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_changed_wrapper';

-- assignment_reminders::row_triggers::note_changed_summary
CREATE FUNCTION "note_changed_summary"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_changed_summary_wrapper';

-- assignment_reminders::row_triggers::note_changed_thresholds
CREATE FUNCTION "note_changed_thresholds"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_changed_thresholds_wrapper';

-- assignment_reminders::clock::day::note_day_off
CREATE FUNCTION "note_day_off"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_day_off_wrapper';

-- assignment_reminders::history::events::note_enqueued
CREATE FUNCTION "note_enqueued"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_enqueued_wrapper';

-- assignment_reminders::history::events::note_held
CREATE FUNCTION "note_held"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_held_wrapper';

-- assignment_reminders::history::keep::note_insert
CREATE FUNCTION "note_insert"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_insert_wrapper';

-- assignment_reminders::history::events::note_release
CREATE FUNCTION "note_release"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'note_release_wrapper';

-- assignment_reminders::row_triggers::protect_assignment_count
CREATE FUNCTION "protect_assignment_count"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'protect_assignment_count_wrapper';

-- assignment_reminders::pay::close::protect_closed_period
CREATE FUNCTION "protect_closed_period"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'protect_closed_period_wrapper';

-- assignment_reminders::access::person::protect_identity
CREATE FUNCTION "protect_identity"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'protect_identity_wrapper';

-- assignment_reminders::row_triggers::protect_last_contact_date
CREATE FUNCTION "protect_last_contact_date"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'protect_last_contact_date_wrapper';

-- assignment_reminders::contact::triggers::record_imported_contact
CREATE FUNCTION "record_imported_contact"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'record_imported_contact_wrapper';

-- assignment_reminders::row_triggers::refuse_future_activity
CREATE FUNCTION "refuse_future_activity"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'refuse_future_activity_wrapper';

-- assignment_reminders::row_triggers::refuse_new_id
CREATE FUNCTION "refuse_new_id"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'refuse_new_id_wrapper';

-- assignment_reminders::row_triggers::refuse_reused_id
CREATE FUNCTION "refuse_reused_id"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'refuse_reused_id_wrapper';

-- assignment_reminders::row_triggers::refuse_update
CREATE FUNCTION "refuse_update"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'refuse_update_wrapper';

-- assignment_reminders::row_triggers::set_updated_at
CREATE FUNCTION "set_updated_at"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'set_updated_at_wrapper';

-- assignment_reminders::contact::correction::sign_correction
CREATE FUNCTION "sign_correction"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sign_correction_wrapper';

-- assignment_reminders::row_triggers::sync_completed
CREATE FUNCTION "sync_completed"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sync_completed_wrapper';

-- assignment_reminders::delivery::notify::tell_workers
CREATE FUNCTION "tell_workers"()
	RETURNS TRIGGER
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'tell_workers_wrapper';

-- finalize
-- Who may call the functions, said once they all exist. An upgrade says it of the functions that are new: users may have
-- granted or revoked the others (tools/schema/src/upgrade.rs tells which were there).
--
-- No function here is SECURITY DEFINER. Triggers take the table owner's rights themselves (src/server/owner.rs).

-- This runs as a superuser, in a schema in which others may have made functions and operators: none of theirs is to be found.
SET LOCAL search_path TO pg_catalog, pg_temp;

DO $$
DECLARE
    for_everybody regprocedure[] := ARRAY[
        -- The rules, which know only their arguments, and the default of organization_id, which inserts need.
        'assignment_reminders.days_since_last_contact(date, date)',
        'assignment_reminders.is_reminder_due(integer, integer)',
        'assignment_reminders.is_escalation_due(integer, integer, timestamptz)',
        'assignment_reminders.is_escalation_due(integer, integer, integer, integer)',
        'assignment_reminders.evaluate_assignment(date, date, timestamptz, integer, integer, date)',
        'assignment_reminders.evaluate_assignment(date, date, timestamptz, integer, integer, date, integer)',
        'assignment_reminders.evaluate_silence(assignment_reminders.silence_facts)',
        'assignment_reminders.outlook_of(assignment_reminders.silence_facts, text, text, text, boolean, boolean, boolean, boolean)',
        'assignment_reminders.every_silence_is_heard(integer, integer, integer, date, integer[], date[], date[], date)',
        'assignment_reminders.is_evaluation_due(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz[], boolean)',
        'assignment_reminders.is_held(bigint, integer, boolean)',
        'assignment_reminders.is_day_off(date, integer[], date[], date[], date)',
        'assignment_reminders.last_runs(timestamptz)',
        'assignment_reminders.dispatched_at(text, boolean, text, text, timestamptz, timestamptz, timestamptz)',
        'assignment_reminders.due_reminder_type(interval)',
        'assignment_reminders.due_reminder_types(interval)',
        'assignment_reminders.is_of_due_offset(text, interval[])',
        'assignment_reminders.is_same_due_date(timestamptz, timestamptz)',
        'assignment_reminders.skip_reason(assignment_reminders.reminder_facts)',
        'assignment_reminders.unreachable_reason(text, boolean, boolean, boolean)',
        'assignment_reminders.is_unreachable(text)',
        'assignment_reminders.is_reachable(boolean, text, boolean)',
        'assignment_reminders.is_muted(text[], text)',
        'assignment_reminders.goes_to_fallback(text, text)',
        'assignment_reminders.address_of(text, boolean)',
        'assignment_reminders.addressee_id(text, uuid, uuid, uuid, uuid)',
        'assignment_reminders.silent_since(date, date)',
        'assignment_reminders.silence_anchor(date)',
        'assignment_reminders.latest_starts_of_silence(integer, integer, date, integer[], date[], date[], date)',
        'assignment_reminders.is_due_offset_open(timestamptz, timestamptz, interval, interval, timestamptz)',
        'assignment_reminders.due_windows(text, integer[], integer, timestamptz)',
        'assignment_reminders.is_rearmed(text, timestamptz, text, text, timestamptz, text, boolean, boolean)',
        'assignment_reminders.reminder_kinds()',
        'assignment_reminders.reminder_kind(text)',
        'assignment_reminders.reminder_type_of(text)',
        'assignment_reminders.require_value(anyelement, text)',
        'assignment_reminders.require_moment(timestamptz)',
        'assignment_reminders.require_page_size(integer)',
        'assignment_reminders.require_whole(text[], uuid)',
        'assignment_reminders.raise_unknown(text, uuid)',
        'assignment_reminders.without_text(text)',
        'assignment_reminders.without_addresses(text, text[], text[])',
        'assignment_reminders.after_loss(integer, integer)',
        'assignment_reminders.lock_for_reminders(text, uuid[], text[])',
        'assignment_reminders.paused_among(uuid[], timestamptz)',
        'assignment_reminders.is_called_for(text, uuid, timestamptz)',
        'assignment_reminders.organization_timezone(uuid)',
        'assignment_reminders.summary_since(timestamptz, timestamptz, text)',
        'assignment_reminders.last_summary_sent(uuid, timestamptz, text)',
        'assignment_reminders.last_summary(uuid, timestamptz, text)',
        'assignment_reminders.unsubscribe_tokens_of(uuid[])',
        'assignment_reminders.day_before(timestamptz, text)',
        'assignment_reminders.time_ordered_id()',
        'assignment_reminders.current_organization()',
        'assignment_reminders.default_organization()',
        'assignment_reminders.named_organization()',
        'assignment_reminders.installed_definitions()',
        'assignment_reminders.altered_definitions()',
        -- Reads, which show nothing that the caller's own rights on the tables do not.
        'assignment_reminders.existing_organization(uuid)',
        'assignment_reminders.chosen_organization(uuid)',
        'assignment_reminders.coordinator_to_tell(uuid, uuid, uuid, text)',
        'assignment_reminders.unsubscribe_token(uuid)',
        'assignment_reminders.evaluate_assignment(uuid, date)',
        'assignment_reminders.explain_assignment(uuid, timestamptz, timestamptz)',
        'assignment_reminders.silence_of(timestamptz, date, text, assignment_reminders.assignment_facts, assignment_reminders.settings_facts, boolean, assignment_reminders.person_facts, assignment_reminders.person_facts, assignment_reminders.person_facts, assignment_reminders.message_facts, assignment_reminders.message_facts, boolean, assignment_reminders.stop_facts, assignment_reminders.stop_facts, assignment_reminders.stop_facts)',
        'assignment_reminders.silence_as_of(uuid, timestamptz, timestamptz, uuid)',
        'assignment_reminders.messages_as_of(timestamptz, uuid, uuid[], text)',
        'assignment_reminders.person_as_of(timestamptz, uuid, uuid)',
        'assignment_reminders.was_returned(uuid, timestamptz, timestamptz, uuid, text)',
        'assignment_reminders.assignment_timeline(uuid)',
        'assignment_reminders.assignment_silences(timestamptz, date)',
        'assignment_reminders.assignment_outlooks(timestamptz, uuid)',
        'assignment_reminders.forgotten_assignments(uuid, timestamptz)',
        'assignment_reminders.follow_up_effect(date, date, uuid)',
        'assignment_reminders.simulate_follow_ups(uuid, date, date, jsonb)',
        'assignment_reminders.organization_in_sight()',
        'assignment_reminders.evaluation_turns(timestamptz)',
        'assignment_reminders.due_follow_ups(timestamptz, uuid, boolean, integer, integer, integer, integer[], date, uuid)',
        'assignment_reminders.evaluate_assignments(timestamptz, uuid)',
        'assignment_reminders.preview_follow_ups(uuid, integer, integer, integer[], integer, date, uuid, timestamptz)',
        'assignment_reminders.get_open_assignments_with_contact_dates(date, uuid, integer, uuid)',
        'assignment_reminders.get_assignments_with_no_contact_since(date, date, uuid, integer, uuid)',
        'assignment_reminders.get_last_contact_date(uuid)',
        'assignment_reminders.get_assignment_with_participants(uuid)',
        'assignment_reminders.verify_assignment_counts()',
        'assignment_reminders.row_versions(text, timestamptz, timestamptz, uuid, uuid[])',
        'assignment_reminders.put_back(jsonb)',
        'assignment_reminders.rows_as_of(text, timestamptz, uuid, uuid[])',
        'assignment_reminders.contact_dates_as_of(timestamptz, uuid, uuid[])',
        'assignment_reminders.history_known_since()',
        'assignment_reminders.require_history(text, timestamptz, uuid)',
        'assignment_reminders.assignment_counts_as_of(timestamptz, uuid)',
        'assignment_reminders.mentor_statement(date, date, uuid)',
        'assignment_reminders.closed_period_checksum(uuid, uuid, integer, date, date, timestamptz, timestamptz, text, timestamptz, text, uuid, text)',
        'assignment_reminders.verify_closed_periods(uuid)',
        'assignment_reminders.verify_contact_dates()',
        'assignment_reminders.evaluation_health(interval, timestamptz)',
        'assignment_reminders.watch_daily_evaluation(interval)',
        'assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid)',
        'assignment_reminders.daily_summary(uuid, timestamptz)',
        'assignment_reminders.addresses_of(uuid)',
        'assignment_reminders.has_something_to_say(uuid, timestamptz, text)',
        'assignment_reminders.is_in_daily_summary(text, timestamptz, timestamptz, timestamptz, timestamptz)'
    ]::regprocedure[];
    -- Whoever created the extension may call the rest, too, which writes or is a trigger, and grant it to others: also an owner
    -- who is no superuser, to whom the functions of a trusted extension do not belong.
    owner regrole := (SELECT e.extowner FROM pg_catalog.pg_extension e WHERE e.extname = 'assignment_reminders');
    known text[] := string_to_array(current_setting('assignment_reminders.functions_before', true), ',');
    added regprocedure;
BEGIN
    FOR added IN
        SELECT d.objid FROM pg_catalog.pg_depend d
         WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
           AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'assignment_reminders')
           AND d.objid::text <> ALL (coalesce(known, '{}'))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', added);
        IF owner <> (SELECT p.proowner FROM pg_catalog.pg_proc p WHERE p.oid = added) THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s WITH GRANT OPTION', added, owner);
        END IF;
        IF added = ANY (for_everybody) THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', added);
        END IF;
    END LOOP;
END
$$;

-- The doc comments of the functions written in Rust.

COMMENT ON FUNCTION assignment_reminders.administered_organization() IS
    'The organization whose settings the current user (see current_user_id) changes, as its admin; NULL for anybody else.
22P02 for malformed claims.';
COMMENT ON FUNCTION assignment_reminders.after_loss(INT, INT) IS
    'What becomes of a reminder that was claimed and never answered for: retry, retry_alone (in a claim of its own) or give_up. attempts counts the lost one. NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.altered_definitions() IS
    'The triggers, defaults of organization_id, constraints, indexes and views of ours that are not as install() makes them (of a view, only whether it is there). actual is NULL where there is none of that name, expected for a trigger that calls a function of ours a second time. install() puts triggers and defaults right, and reports the others.';
COMMENT ON FUNCTION assignment_reminders.apply_correction() IS
    'Trigger: a correction that a client inserts sets the contact date.';
COMMENT ON FUNCTION assignment_reminders.assignment_timeline(uuid) IS
    'What happened to an assignment, in order: one row for each event, also of one that was deleted, as far as the history has it. event is a code that stays: created, deleted, mentor_changed, coordinator_changed, student_changed, status_changed, due_date_changed, title_changed, assigned_on_changed, follow_up_changed; contact and attempt (happened_at: when it took place; recorded_at: when it was entered), contact_changed, contact_moved (to or from another assignment), contact_deleted; contact_corrected, correction_deleted; paused, pause_changed, pause_deleted, and mentor_paused, mentor_pause_changed, mentor_pause_deleted while it was that mentor''s (values: first and last day, with a slash between them); reminder_enqueued, reminder_rearmed, reminder_readdressed, reminder_withdrawn, reminder_skipped; message_sent, message_delivered, message_bounced, message_rejected, message_complained, message_unsubscribed, message_failed (an attempt), message_given_up (the last), message_claimed. Where it was created before the history begins (history_known_since), a row history_begins says so: what was changed before is not known. row_id: the activity, correction, pause or reminder. changed_by and changed_by_user: the role that wrote, and whoever it wrote for, where they are known. text: a sentence, in which people are called as they are now, and whose words may change.
02000 for an unknown assignment, 22004 for NULL, 42501 where row security may hide rows: coordinators and admins have the timelines of their organization, and mentors those of what is theirs now: since it is, without the names of people whom they do not see.';
COMMENT ON FUNCTION assignment_reminders.begin_episode() IS
    'Trigger: a reminder that somebody makes pending again after it was sent is sent once more, in another episode and by another key.';
COMMENT ON FUNCTION assignment_reminders.chosen_organization(uuid) IS
    'The organization that a read is about: this one or, for NULL, the one that the session speaks for.
02000 when there is none of this id, 22004 for NULL where the session speaks for none.';
COMMENT ON FUNCTION assignment_reminders.claim_digests(INT, interval, uuid, timestamp with time zone) IS
    'Hands out up to batch_size messages, one a row: each holds all that is due to one person at as_of, and is claimed as claim_reminders claims, by the same rules. items is an array of objects, the oldest first: what claim_reminders returns of each reminder, and organization_name, coordinator_name, coordinator_email, the assignment''s metadata, and of an escalation reminded_name and reminded_at, or reminded_reason (a skip_reason, or failed) where nobody could be reminded. People whose user_preferences.digest is false get a message for each reminder; so does what is tried alone. A message counts as one for messages_per_minute.
While a claim that has not committed holds a person, others leave what is due to them; later, they find only what has come due since. A message holds at most 10,000 reminders; what is more comes with the next. Answer with mark_digest_sent or record_digest_failure.
Errors are those of claim_reminders.';
COMMENT ON FUNCTION assignment_reminders.claim_reminders(INT, interval, uuid, timestamp with time zone) IS
    'Hands out up to batch_size reminders that are due at as_of, oldest first and in turn over the organizations, leased to the caller until lease has passed; after that, another claim may take them. What should no longer be sent is skipped with its reason instead. What somebody else has locked is left to the next claim. No row: nothing can be claimed, or 10,000 were skipped, and workers are notified to claim again. Answer with mark_reminder_sent or mark_reminder_failed. A claim that nobody answered for before its lease ended has cost an attempt; the last one after that is handed out alone, in turn with all others, and after max_attempts the reminder is given up (status failed, and a notification). NULL organization: all that the caller sees.
22004 for NULL, 22023 for a size outside 1 to 10,000, a lease outside a day or an as_of over 31 days ahead, 22008 for an infinite as_of, 02000 for an unknown organization, 25001 in a transaction that is not READ COMMITTED.';
COMMENT ON FUNCTION assignment_reminders.close_period(uuid, date, date) IS
    'Closes a period of an organization: keeps its mentor_statement() in closed_periods and closed_statements, where nothing changes it any more. It begins with the day after the last closed one. The first one begins with the day on which the history does, or with first_day, a later one; so does one after days of which not everything is known, which says that by first_day. What is recorded into it later (by a transaction that was at work when it was closed, or behind the triggers) is told in the statement after it. Returns the period, and its checksum: note it elsewhere, and verify_closed_periods() proves all up to it. NULL organization: the one that the session speaks for.
Of two at once, one waits, and is told that the day is closed. 55000 for a day that has not ended in the organization''s time zone, or was closed before; 22023 where first_day leaves out days that are known, is after last_day, or before what is known; 22004 for a NULL last_day, 02000 for an unknown organization, 22008 for an infinite day, 25001 in a transaction that is not READ COMMITTED, 42501 for whom row security binds and who is no admin of the organization.';
COMMENT ON FUNCTION assignment_reminders.coordinated_organization() IS
    'The organization in which the current user (see current_user_id) sees and does all, as its coordinator or admin; NULL for anybody else.
22P02 for malformed claims.';
COMMENT ON FUNCTION assignment_reminders.correct_last_contact_date(uuid, date, TEXT) IS
    'Sets an assignment''s contact date, back as well as forward, and keeps who did it, when, why and what it was before. NULL new_date: there never was contact. Contacts later than the new date are declared wrong (overruled_by); those that are registered, or moved to the assignment, afterwards count again. Returns the date that now holds.
02000 for an unknown assignment, 22023 without a reason, 22008 for a date more than a day ahead.';
COMMENT ON FUNCTION assignment_reminders.create_reminder_settings() IS
    'Trigger: gives an organization its row of settings as it is inserted.';
COMMENT ON FUNCTION assignment_reminders.create_unsubscribe_tokens() IS
    'Trigger: gives people their token to unsubscribe by as they are inserted.';
COMMENT ON FUNCTION assignment_reminders.current_organization() IS
    'The organization that the session speaks for, for policies. Where there is a JWT (the setting request.jwt.claims), it alone decides: organization_id, at its top level or in app_metadata; NULL where it names none. Without a JWT: the setting assignment_reminders.organization_id, else the default organization.
22P02 when what is there is malformed.';
COMMENT ON FUNCTION assignment_reminders.current_peer_mentor_id() IS
    'The peer mentor that the current user (see current_user_id) is; NULL where they are none.
22P02 for malformed claims.';
COMMENT ON FUNCTION assignment_reminders.current_user_id() IS
    'The user who the session works for: whose auth_user_id is the sub of the JWT (the setting request.jwt.claims), in the organization that the JWT names. NULL where there is no such user, no JWT, or none that names an organization.
22P02 for malformed claims.';
COMMENT ON FUNCTION assignment_reminders.days_since_last_contact(date, date) IS
    'Whole days from the last contact to as_of. NULL without contact.
22008 for infinite dates.';
COMMENT ON FUNCTION assignment_reminders.default_organization() IS
    'What organization_id defaults to: the organization that the session speaks for, else the default organization, so that a service whose JWT names none goes on inserting. require_organization(true) takes that away.
22P02 when what is there is malformed.';
COMMENT ON FUNCTION assignment_reminders.disable_row_security() IS
    'Takes back what enable_row_security made: its policies, the rights of the roles that they are for, and row security, where no policy of somebody else''s remains and nobody whom it binds has a right: what nobody would check any more stays closed, with a warning. Roles of users stay. Returns what was done: nothing where there are no policies of enable_row_security.
42501 for anybody but the tables'' owner, 25001 in a transaction that is not READ COMMITTED.';
COMMENT ON FUNCTION assignment_reminders.dispatched_at(TEXT, bool, TEXT, TEXT, timestamp with time zone, timestamp with time zone, timestamp with time zone) IS
    'When the mentor''s reminder of a silence was dispatched: sent, or given up because it could not reach them. NULL: neither yet. in_this_silence: whether the reminder is about this silence; if not, there is none. mentor_unreachable: why the mentor cannot be written to, NULL if they can; one who cannot counts as reminded at as_of.
22004 for a NULL as_of.';
COMMENT ON FUNCTION assignment_reminders.due_reminder_type(interval) IS
    'The type of the reminder that is sent this long before a due date: 24h, 2d, 90m. A month counts as 30 days. NULL for NULL, and for what is not ahead of a due date, or infinitely far.';
COMMENT ON FUNCTION assignment_reminders.due_reminder_types(interval) IS
    'All types of the reminder that is sent this long before a due date, in whatever units it was given; the first is due_reminder_type''s: 24h, 1d. NULL as there.';
COMMENT ON FUNCTION assignment_reminders.due_windows(TEXT, INT[], INT, timestamp with time zone) IS
    'The span of due dates around each of targets, which are units (minutes, hours or days) after as_of, give or take tolerance minutes; both ends included, and each target once. due_assignments looks for due dates in them.
22004 for NULL, 22023 for another unit or a negative target or tolerance, 22008 for an infinite as_of or a target beyond the calendar.';
COMMENT ON FUNCTION assignment_reminders.enable_row_security(TEXT, TEXT) IS
    'Switches row security on for every table of ours, with the policies that a programme needs, for the role in which people''s requests arrive (Supabase: authenticated) and the role of the delivery workers (NULL: none, or theirs has BYPASSRLS). People are known by users.auth_user_id and their JWT (see current_user_id), and see and do what their users.role says. The two roles then have these rights on the tables, and no others that the owner granted. Where there are none of its policies yet, whoever coordinates an assignment becomes coordinator. Calling it again makes policies and grants anew: a role that an earlier call named, and this one does not, has lost its rights, unless it is a member of the role that has them now; a WARNING names it. Returns what was done.
42501 for anybody but the tables'' owner, 22004 without a member_role, 42704 for a role that does not exist, 22023 for one that row security does not bind, for the same one twice, or one with the rights of the other, 55000 where install() is to be called first, 25001 in a transaction that is not READ COMMITTED.';
COMMENT ON FUNCTION assignment_reminders.enqueue_alerts(interval, timestamp with time zone) IS
    'Enqueues a notice to each admin of an organization (users.role) of what they must see to, once for as long as it goes on: follow-ups that are held; a run that failed, took over 30 minutes or hangs, or is missing (max_age, as evaluation_health has it); and six hours without any message of the organization that was sent, while one is due. Runs do the same, but for a run that is missing, and for what was not sent: these a job of its own tells, which schedule_daily_evaluation() makes. Returns what it enqueued; nothing while another session does it.
22004 for NULL, 22008 for an infinite as_of, 22023 for an infinite max_age.';
COMMENT ON FUNCTION assignment_reminders.enqueue_daily_summaries(timestamp with time zone) IS
    'Enqueues a summary for everybody who asked for one, once on each of their local days, from the hour that they prefer; later that day if it did not run then. Nothing to say: no summary. Returns what it enqueued.
22004 for NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION assignment_reminders.enqueue_due_reminders(timestamp with time zone) IS
    'Enqueues a reminder to the student for each of the organization''s due_offsets before an assignment''s due date, as soon as the first one''s time has come; a later one waits until its own. Calling it again enqueues nothing anew. When it has not run for a while, what is late is due at once, as long as the assignment is not (the claim then sends only the one closest to the due date). An assignment created after an offset''s time gets just the others. A due date that moved re-arms its reminders; those of assignments no longer open are skipped. Returns what it enqueued.
22004 for NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION assignment_reminders.evaluate_assignment(date, date, timestamp with time zone, INT, INT, date) IS
    'What an open assignment with these values calls for: none, remind or escalate, and the days of its silence, which began with the last contact, but not before assigned_on. The reminder counts if its UTC date is not before the day the silence began. NULL last_contact_date: there never was any. NULL threshold: that action is off. Days off, pauses and grace are not asked for.
22004 for a NULL assigned_on or as_of, 22008 for infinite dates, 22023 for a negative threshold.';
COMMENT ON FUNCTION assignment_reminders.evaluate_assignment(date, date, timestamp with time zone, INT, INT, date, INT) IS
    'The same, where a mentor who was reminded has escalation_grace_days before the coordinator is told.
22004 for a NULL assigned_on, as_of or grace, 22008 for infinite dates, 22023 for a negative threshold or grace.';
COMMENT ON FUNCTION assignment_reminders.evaluate_assignment(uuid, date) IS
    'What this assignment calls for on as_of (NULL: today in its organization''s time zone), by its organization''s settings and days off, its pauses, and the reminder of this silence to whoever is its mentor now. An assignment that is not open, or not followed up, calls for none.
02000 for an unknown assignment, 22004 for NULL.';
COMMENT ON FUNCTION assignment_reminders.evaluate_silence(assignment_reminders.silence_facts) IS
    'What the silence of an open assignment calls for, its days, and since which day it has called for that (NULL for none): what evaluate_assignment says of values, with the organization''s days off, the assignment''s pauses and what became of its mentor''s reminder. Runs ask this of every assignment that is long silent.
22004 for NULL facts, or for a NULL silent_since, as_of or escalation_grace_days among them, 22023 for a negative threshold or an unknown weekday.';
COMMENT ON FUNCTION assignment_reminders.evaluation_health(interval, timestamp with time zone) IS
    'Whether the daily run does its work: ok, warning or critical, with the reasons, worst first, and the start of the last run that was not skipped. Critical: the last run failed, is missing, took over 30 minutes, or a run hangs. One is missing when the last is longer ago than max_age; where the caller can see an active pg_cron job that makes the runs, only if one was due by its schedule since then. Where the caller may read pg_cron''s tables, it also tells which of its jobs fail, are late, missing, or of a database that has another name now; elsewhere these are not judged.
22004 for NULL, 22023 for an infinite max_age.';
COMMENT ON FUNCTION assignment_reminders.every_silence_is_heard(INT, INT, INT, date, INT[], date[], date[], date) IS
    'Whether somebody will hear of every silence of an organization with these settings that began by as_of, whose mentor and coordinator can be written to, which nothing stops and which was not escalated. off_from, off_until: the first and last days of its days off, pairwise.
22004 for a NULL escalation_grace_days or as_of, 22008 for an infinite as_of, 22023 for a negative threshold or an unknown weekday.';
COMMENT ON FUNCTION assignment_reminders.existing_organization(uuid) IS
    'The id itself if an organization has it, NULL for NULL.
02000 when none has.';
COMMENT ON FUNCTION assignment_reminders.explain_assignment(uuid, timestamp with time zone, timestamp with time zone) IS
    'Why an assignment is followed up at as_of, or is not: one row. action: what its silence calls for that day, whether it was enqueued or not (none where it is not open, or not followed up); would_enqueue: whether evaluate_assignments would return it. state, next_action, next_on, forgotten: as assignment_outlooks says them (NULL where nobody follows it up). days_not_counted: spans of days since the silence began that do not count (first_day, last_day, days, cause, reason). The coordinator is whoever is told instead of the mentor: the assignment''s, or the fallback. gates: what is asked before anybody is written to (gate, value, is_passed). sentences: code and text, of which explanation is made; the codes stay, the words may change. happened: what became of the messages of this silence, in order, with the codes of assignment_timeline() (happened_at in UTC, event, reminder_type, recipient_id, recipient_name, reason, text). A moment that has passed is explained as things stood then, as far as the history tells. known_at: by what was known when (NULL: at as_of); now() explains an earlier day by settings, people, contacts and outbox as they are now.
Mentors have explanations of what is theirs, without whom coordinators are, or why they cannot be written to.
02000 for an assignment that is not, or was not, there; 22004 for NULL, 22008 for an infinite as_of, 22023 for what was known before the history begins (history_known_since()), 42501 where row security may hide rows: coordinators and admins have the explanations of their organization, and mentors those of what is theirs, and was at that moment.';
COMMENT ON FUNCTION assignment_reminders.extend_reminder_lease(uuid, uuid, interval, timestamp with time zone) IS
    'Keeps a claimed reminder for another lease from as_of on. True: it is the caller''s until then. False: the claim no longer holds, or a claim would not hand it out any more, by the same rule and to the same address: do not send it. What is to go to somebody else now, and all of an organization whose sending is paused or whose messages_per_minute is 0, is given back for the next claim, with no attempt lost. False, too, of what somebody else has locked for over a second: give it back, or its lease ends with an attempt lost.
22004 for a NULL id, 22023 for a lease of nothing or of more than a day, or an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.extend_reminder_leases(uuid[], uuid, interval, timestamp with time zone) IS
    'Keeps the reminders of one claim, as extend_reminder_lease does. Returns the ids that are no longer the caller''s.';
COMMENT ON FUNCTION assignment_reminders.fill_assignment() IS
    'Trigger: gives an assignment what its writer left out: the organization''s day, and whether its silence is followed up, which it is from the moment it has a mentor or coordinator; and keeps since when its mentor is.';
COMMENT ON FUNCTION assignment_reminders.follow_up_effect(date, date, uuid) IS
    'After how many days contact came, of the reminders and escalations that were sent from first_day to last_day in their organization''s time zone: a row for each organization, mentor and kind (as in reminder_kinds()) of which any was. peer_mentor_id: whoever was mentor when it was sent; NULL: nobody, or it is not known any more. sent: messages that were handed to the provider, whatever became of them then, each once. Of these, followed_by_contact: there was contact, on the day it was sent or later, and before the day of the next reminder or escalation about the assignment, so that each contact tells of one message; within_3_days, within_7_days and within_14_days: so many days after it at most, 0 being the same day; median_days: within so many days were half of those, NULL: there were none. Contacts count by when they took place, whoever registered them; attempts, and what a correction overruled, do not. followed_by_message: the next message came first. still_silent: nothing came yet, and the assignment is open and followed up. no_longer_awaited: nothing came, and it was closed, paused by its status, deleted or is not followed up any more, or its contact date was set without a contact. These four make up sent. All as it is known now; what prune() took away is not counted. NULL organization: all.
22004 for a NULL day, 22008 for an infinite one, 22023 where first_day is after last_day, 02000 for an unknown organization, 42501 where row security may hide rows: coordinators and admins have it of their organization.';
COMMENT ON FUNCTION assignment_reminders.forget_bounces() IS
    'Trigger: forgets the soft bounces of an address that is replaced.';
COMMENT ON FUNCTION assignment_reminders.forget_overruling() IS
    'Trigger: an activity that is moved to another assignment is no longer overruled, where the writer did not say by what.';
COMMENT ON FUNCTION assignment_reminders.forget_person(uuid) IS
    'Forgets a person: after it, no row of any table holds an address of theirs, also of logs whose organization is gone, but where it is another person''s now. Their row stays, without address, name, time zone and sign-in, a member, opted out. Their preferences go, and their token to unsubscribe by, and so do the texts of the assignments whose student they are (titles, descriptions, reasons of corrections and pauses, notes, metadata), the reasons why they were away as a mentor, the notes of activities that they recorded, and of errors all but the codes; from the history what is taken from the tables. Reminders that wait for them are skipped. Of somebody whose row was deleted, whatever holds an address that the history knows of them is cleared, and the history; the texts that went with their assignments are gone with them. Ids, dates, counts and every other row stay.
Returns how many rows of each table were changed, and how many reminders were skipped: zeros where all is done. It waits for whoever holds one of these rows, and for transactions that recorded a text with an address in it, while it holds none itself. Until its transaction has ended, whatever changes these rows, or is reported of messages to this person, waits for it, and so does another forget_person(); nothing else does, but of errors that have an address in them only the codes are kept.
02000 for an unknown person, 22004 for NULL, 25001 in a transaction that is not READ COMMITTED, 42501 where row security may hide rows.';
COMMENT ON FUNCTION assignment_reminders.goes_to_fallback(TEXT, TEXT) IS
    'Whether an escalation goes to the organization''s fallback coordinator and not to the assignment''s: where there is none, and where only the fallback can be reached. Each: why that one cannot be written to (unreachable_reason); NULL: they can.';
COMMENT ON FUNCTION assignment_reminders.history_known_since() IS
    'Since when every change of a versioned row is known (history_horizon): the installation, or the upgrade that brought the history, or what came later: the last time that triggers were put back, or up to when it was pruned. No secret: whoever may call it is told.
55000 where nothing says so.';
COMMENT ON FUNCTION assignment_reminders.install() IS
    'Makes the tables, owned by the caller, or brings them to this version. Triggers, defaults of organization_id and views of ours that are missing, disabled or altered are put right, with a notice, and what triggers missed is caught up on; constraints and indexes that are missing or altered are warned of and left. Calling it again changes nothing. Returns what was done.
42P07 when there is a relation with the name of one of ours that install() did not make, 25001 in a transaction that is not READ COMMITTED, 42501 where the caller is not the tables'' owner or cannot see which migrations were applied, 42P01 when a table is missing, 55000 when the tables are of a later version.';
COMMENT ON FUNCTION assignment_reminders.install_api(TEXT) IS
    'Makes a schema for PostgREST to expose in place of assignment_reminders: of each table that clients use a view, and of each function that they call one with the same name and arguments. Both work with the rights of whoever uses them, so policies stay where they are, on the tables; and whoever was granted rights on these has them on the views, and EXECUTE on the functions. All of it belongs to the caller. Call it again after an upgrade, after enable_row_security() and other grants, and after adding columns of your own: functions are made anew, views keep what you granted on them. Returns what was made.
42501 for anybody but the tables'' owner, or where an object in the schema is another role''s; 42P06 for a schema that is there and was not made by this function, 22004 for NULL, 22023 for assignment_reminders itself or a schema of Postgres''s, 25001 in a transaction that is not READ COMMITTED.';
COMMENT ON FUNCTION assignment_reminders.is_called_for(TEXT, uuid, timestamp with time zone) IS
    'Whether an assignment calls for a follow-up of this type at as_of, by the settings as they are now. Answers claims alone, with the rights of the tables'' owner. NULL for NULL.
42501 for anybody else.';
COMMENT ON FUNCTION assignment_reminders.is_day_off(date, INT[], date[], date[], date) IS
    'Whether a day is off by the calendar of an organization: nothing is enqueued on it. off_from, off_until: the first and last days of its days off, pairwise. NULL: nothing is off.
22004 for a NULL day, 22008 for an infinite one, 22023 for an unknown weekday.';
COMMENT ON FUNCTION assignment_reminders.is_due_offset_open(timestamp with time zone, timestamp with time zone, interval, interval, timestamp with time zone) IS
    'Whether the reminder of one of an organization''s due_offsets is to be enqueued at as_of: from due_at less its longest_offset until due_at, unless the offset''s own time had passed when the assignment was created. Offsets are exact lengths (a day is 24 hours, a month 30 days). NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.is_escalation_due(INT, INT, INT, INT) IS
    'Whether days >= threshold, and a reminder was sent at least escalation_grace_days ago (days_since_reminder; NULL: none was). False when anything is NULL.
22023 for a negative threshold or grace.';
COMMENT ON FUNCTION assignment_reminders.is_escalation_due(INT, INT, timestamp with time zone) IS
    'Whether days >= threshold, and a reminder was sent. False when anything is NULL.
22023 for a negative threshold.';
COMMENT ON FUNCTION assignment_reminders.is_evaluation_due(timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone[], bool) IS
    'Whether it is an organization''s turn in a run at as_of: where its evaluation hour has passed on its local day (todays_hour), or has come since it was last its turn (yesterdays_hour; turn_at: that turn or, before the first one, its creation), or where the last two runs (last_runs, the later one first) say that runs are daily. A NULL todays_hour or yesterdays_hour: it has none, and it is its turn in every run. So it is after a release.
22004 for a NULL as_of or turn_at.';
COMMENT ON FUNCTION assignment_reminders.is_held(bigint, INT, bool) IS
    'Whether a run holds the follow-ups of an organization: more than follow_up_limit (NULL: no limit) became due by its last evaluation (backlog), and nobody has released them.
22004 for a NULL backlog.';
COMMENT ON FUNCTION assignment_reminders.is_muted(TEXT[], TEXT) IS
    'Whether reminders of a type are muted by these elements of user_preferences.muted_types: one is the type, or the name of its kind (reminder_kinds()). NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.is_of_due_offset(TEXT, interval[]) IS
    'Whether a type of a due reminder is of one of these due_offsets, or of the programme''s own and so of none. NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.is_reachable(bool, TEXT, bool) IS
    'Whether a person with these values can be written to. False when contact_opt_out is NULL: there is no such person. is_muted: whether they want none of what it is about; NULL: no.';
COMMENT ON FUNCTION assignment_reminders.is_rearmed(TEXT, timestamp with time zone, TEXT, TEXT, timestamp with time zone, TEXT, bool, bool) IS
    'Whether a row of the outbox becomes pending again, with all its attempts, for what is due now: its anchor moved, or what it was skipped for no longer holds, or a follow-up is of another mentor than the assignment has now, or failed for somebody else, or of a due date at another address, than (is_for_another) it would go to now. Enqueueing asks this of rows that are there already. due_skip_reason: why what is due now could not be sent, if so.
22004 for a NULL reminder_type, status or due_anchor.';
COMMENT ON FUNCTION assignment_reminders.is_reminder_due(INT, INT) IS
    'Whether days >= threshold. False when either is NULL.
22023 for a negative threshold.';
COMMENT ON FUNCTION assignment_reminders.is_same_due_date(timestamp with time zone, timestamp with time zone) IS
    'Whether two due dates are the same one: less than a minute apart. NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.is_unreachable(TEXT) IS
    'Whether a reminder that was skipped for this reason was skipped because it could reach nobody. NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.keep_changed() IS
    'Trigger: keeps a reminder that was armed again, or is not to be sent, for note_changed to note.';
COMMENT ON FUNCTION assignment_reminders.keep_claim() IS
    'Trigger: a reminder that is deleted while a claim holds it is logged, for its answer to be.';
COMMENT ON FUNCTION assignment_reminders.keep_closed_days() IS
    'Trigger: an assignment that is closed pauses from the day after, until the day before it is opened again.';
COMMENT ON FUNCTION assignment_reminders.keep_leave() IS
    'Trigger: an assignment that gets another mentor keeps the days on which the one before was away.';
COMMENT ON FUNCTION assignment_reminders.keep_leave_of_all() IS
    'Trigger: so do those of a mentor who is deleted. Before that: after it, the foreign keys have been through both tables.';
COMMENT ON FUNCTION assignment_reminders.keep_versions() IS
    'Trigger: keeps what a statement replaced, of rows of which it changed more than what is derived.';
COMMENT ON FUNCTION assignment_reminders.last_runs(timestamp with time zone) IS
    'When the two runs before as_of were that succeeded, the later one first, for whoever asks whose turn it is.
22004 for NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION assignment_reminders.latest_starts_of_silence(INT, INT, date, INT[], date[], date[], date) IS
    'The latest days on which silences may have begun that call for something on as_of: for any action, and for one beyond the mentor''s reminder. NULL where no silence is long enough. NULL threshold: that action is off. By the calendar of an organization: days that are off do not count, and on one of them nothing is due. off_from, off_until: the first and last days of its days off, pairwise. NULL: nothing is off.
22004 for a NULL as_of, 22008 for an infinite one, 22023 for a negative threshold or an unknown weekday.';
COMMENT ON FUNCTION assignment_reminders.lock_for_reminders(TEXT, uuid[], TEXT[]) IS
    'Keeps rows of organizations, users or assignments from being deleted until the transaction ends, since reminders are about to refer to them, and returns which: those that somebody else holds are left out, and waited for by nobody, and so are users who have another address by now than the one of emails, where these are given, pairwise. With the rights of the tables'' owner: a lock needs more than the right to read. NULL for a NULL table_name or ids.
42501 for anybody but claims and runs.';
COMMENT ON FUNCTION assignment_reminders.maintain_assignment_count() IS
    'Trigger: adds to each mentor''s count what a statement on assignments changed, so that peer_mentors.assignment_count equals count(*) at every commit.';
COMMENT ON FUNCTION assignment_reminders.maintain_last_contact_date() IS
    'Trigger: sets the contact dates of the assignments whose activities a statement inserted, changed or deleted.';
COMMENT ON FUNCTION assignment_reminders.mark_digest_sent(uuid[], uuid, TEXT, TEXT, timestamp with time zone) IS
    'Records a message of claim_digests as sent: all of its reminders, under one message id, as mark_reminder_sent does. What the provider reports of it later counts once. Returns the ids that were not recorded, as mark_reminders_sent does.
22004 for NULL ids, 22023 for an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.mark_reminder_failed(uuid, uuid, TEXT, bool, timestamp with time zone) IS
    'Records that sending a claimed reminder failed, and logs it: it is retried after a backoff or, when the failure is permanent or max_attempts is reached, given up (status failed, and a notification). Of the error, only the codes are kept where the addressee has no address any more, or where it has an address in it and anybody is being forgotten (forget_person()). True: recorded. False: the claim no longer holds, and nothing was changed.
22004 for a NULL id, 22023 for an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.mark_reminder_sent(uuid, uuid, TEXT, TEXT, timestamp with time zone) IS
    'Records a claimed reminder as sent, with the provider''s message id and the inbox it was sent from, and logs it. True: recorded. False: the claim no longer holds (another one has it, it was answered before, or the reminder is gone), and nothing was changed.
22004 for a NULL id, 22023 for an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.mark_reminders_failed(uuid[], uuid, TEXT[], bool[], timestamp with time zone) IS
    'Records that sending the reminders of one claim failed, as mark_reminder_failed does; errors and permanent are pairwise, or NULL. Returns the ids that were not recorded, as mark_reminders_sent does.
22004 for NULL ids, 22023 for arrays of different lengths or an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.mark_reminders_sent(uuid[], uuid, TEXT[], TEXT, timestamp with time zone) IS
    'Records the reminders of one claim as sent, as mark_reminder_sent does; message_ids are pairwise, or NULL. Returns the ids that were not recorded, for which nothing was changed: none when all is well. Their claim no longer holds, or a constraint or trigger of yours refuses the row, which a WARNING tells of; the others are recorded nevertheless.
22004 for NULL ids, 22023 for arrays of different lengths or an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.mentor_statement(date, date, uuid) IS
    'What each mentor of an organization had, was given, gave away and finished from the beginning of first_day to the end of last_day in the organization''s time zone, by when it was recorded, whatever its dates say: a row for each mentor and item, with the assignments that were counted, as often as each was. at_beginning + recorded + taken_over - handed_over - deleted = at_end, as assignment_counts_as_of() says it of both ends. recorded: inserted, and given to the mentor with it. taken_over, handed_over: every change of mentor, from or to nobody included. open_at_end: those of at_end whose status is open. completed, cancelled: what is so at the end, or was when it was deleted, and was not at the beginning, for whoever was mentor when it last became so. There are all items of each mentor who is there at the end, and of whoever else has one.
Of a period after the last closed one, what came into closed periods since they were closed (close_period) follows: with adjusts, the last day of the period that it adds to, or takes from (a negative number). Closed days keep the bounds that they were closed with. A last day that has not ended: a statement so far. NULL organization: the one that the session speaks for.
22004 for a NULL day, or where the session speaks for no organization; 02000 for an unknown one, 22008 for an infinite day, 22023 where first_day is after last_day or has not begun, or lies before the day on which the history begins (on that day, the statement begins when the history does), 42501 where row security may hide rows: coordinators and admins have the statement of theirs, and mentors their own lines of it.';
COMMENT ON FUNCTION assignment_reminders.merge_peer_mentors(uuid, uuid) IS
    'Makes two mentor records of one person one: the assignments of the first become the second''s, with what was sent about them, so that nobody is reminded again; so do the days on which they were away. The first record is deleted; its user stays. Returns how many assignments moved.
02000 for an unknown mentor, 22004 for NULL, 22023 for twice the same, or mentors of two organizations, 25001 in a transaction that is not READ COMMITTED, 42501 where row security may hide rows.';
COMMENT ON FUNCTION assignment_reminders.named_organization() IS
    'The organization that the session names, which organization_id defaults to after require_organization(true): by its JWT or, without one, by the setting assignment_reminders.organization_id. NULL where it names none, which the column refuses (23502).
22P02 when what is there is malformed.';
COMMENT ON FUNCTION assignment_reminders.note_changed() IS
    'Trigger: notes what a statement armed again, skipped or withdrew.';
COMMENT ON FUNCTION assignment_reminders.note_changed_summary() IS
    'Trigger: notes when a person asked for summaries, or for another hour, where the writer did not say when.';
COMMENT ON FUNCTION assignment_reminders.note_changed_thresholds() IS
    'Trigger: notes when what calls for follow-ups was changed.';
COMMENT ON FUNCTION assignment_reminders.note_day_off() IS
    'Trigger: claims look once more at the follow-ups that waited while days off were entered or moved.';
COMMENT ON FUNCTION assignment_reminders.note_enqueued() IS
    'Trigger: notes what a statement enqueued, and what it found due and not to be sent.';
COMMENT ON FUNCTION assignment_reminders.note_held() IS
    'Trigger: notes that a run held the follow-ups of an organization.';
COMMENT ON FUNCTION assignment_reminders.note_insert() IS
    'Trigger: notes when a row was inserted that says that it was created at another moment. Its history begins with the insert.';
COMMENT ON FUNCTION assignment_reminders.note_release() IS
    'Trigger: notes that what was held of an organization was released, or is held no more.';
COMMENT ON FUNCTION assignment_reminders.organization_health(uuid, interval, timestamp with time zone) IS
    'How the daily run stands, for one organization (NULL: the session''s): as evaluation_health says it, of what concerns that organization. Critical: runs fail, are missing (by the schedule that the tables'' owner sees, whoever calls) or hang, or it has no settings to be evaluated by. Of a run that failed, the SQLSTATE is told; what concerns other organizations or the installation is not. For the organization''s coordinators and admins, too, who need not see the runs themselves.
02000 for an unknown organization, 22004 for NULL and where the session speaks for none, 22023 for an infinite max_age, 42501 for whoever row security binds and is not its coordinator or admin.';
COMMENT ON FUNCTION assignment_reminders.organization_in_sight() IS
    'What a view is about: where row security binds the current role, the organization that the session speaks for; else all of them, NULL.
22P02 when what the session says of it is malformed.';
COMMENT ON FUNCTION assignment_reminders.organization_timezone(uuid) IS
    'An organization''s time zone, for people who have none of their own. With the rights of the tables'' owner: whoever may read a due date may know it. NULL for NULL and for an unknown organization.';
COMMENT ON FUNCTION assignment_reminders.outlook_of(assignment_reminders.silence_facts, TEXT, TEXT, TEXT, bool, bool, bool, bool) IS
    'How far the silence of an open assignment that is followed up has got, what comes next and when, if nothing changes, and why nobody will hear of it. coordinator_unreachable: why whoever is told instead of the mentor cannot be written to. The escalation is the one of this silence about whoever is mentor now (no status: there is none); whether it came back, and whether it went to somebody else than it would go to now.
22004 for NULL facts, or for a NULL silent_since, as_of or escalation_grace_days among them, 22023 for a negative threshold or an unknown weekday.';
COMMENT ON FUNCTION assignment_reminders.pause_assignment(uuid, date, TEXT, timestamp with time zone) IS
    'Pauses an assignment from the day of as_of, in its organization''s time zone, to until, both included (NULL: until further notice): these days do not count, and nothing is enqueued on them. Follow-ups that wait are skipped as paused when they are claimed on one of them; due dates are reminded of as always. Who paused it is kept (the user behind the JWT, if any), and the reason, if one is given. One that is paused already is paused until then instead. Returns the id of the row in assignment_pauses. Nothing need run for it to end.
02000 for an unknown assignment, 22004 for a NULL assignment_id or as_of, 22008 for an infinite as_of, 22023 for an until before the day of as_of.';
COMMENT ON FUNCTION assignment_reminders.pause_mentor(uuid, date, TEXT, timestamp with time zone) IS
    'Pauses all assignments of a mentor who is away, from the day of as_of, in their organization''s time zone, to until, both included (NULL: until further notice), as pause_assignment does; also those that they get meanwhile. One that gets another mentor is not paused any more: the days until then do not count, and the new mentor is reminded. Returns the id of the row in mentor_pauses.
02000 for an unknown mentor, 22004 for a NULL peer_mentor_id or as_of, 22008 for an infinite as_of, 22023 for an until before the day of as_of.';
COMMENT ON FUNCTION assignment_reminders.paused_among(uuid[], timestamp with time zone) IS
    'Which of these assignments are paused at as_of. Answers claims alone, with the rights of the tables'' owner. NULL for NULL.
42501 for anybody else.';
COMMENT ON FUNCTION assignment_reminders.protect_assignment_count() IS
    'Trigger: refuses a count that did not come from maintain_assignment_count. 428C9.';
COMMENT ON FUNCTION assignment_reminders.protect_closed_period() IS
    'Trigger: refuses to change or delete what was closed. 2F002.';
COMMENT ON FUNCTION assignment_reminders.protect_identity() IS
    'Trigger: refuses what would make a person another one, by whom row security binds: role and auth_user_id, which an admin gives to others in their organization, and an address, which its coordinators give. 42501.';
COMMENT ON FUNCTION assignment_reminders.protect_last_contact_date() IS
    'Trigger: refuses a contact date that did not come from activities or a correction. 428C9.';
COMMENT ON FUNCTION assignment_reminders.prune(interval, INT, timestamp with time zone) IS
    'Deletes history older than older_than: up to batch_size rows each of send_logs and evaluation_runs, but never the last run, and not what somebody else holds. Returns how many; call it until both are 0. Where pg_cron is here, it also deletes up to batch_size of what that recorded of our jobs'' runs, as far as the caller may, but never a job''s last run; these are not counted.
22004 for NULL, 22023 for a negative or infinite age or a size outside 1 to 10,000, 22008 for an infinite as_of.';
COMMENT ON FUNCTION assignment_reminders.prune_history(timestamp with time zone, INT) IS
    'Deletes what row_history and reminder_events hold of before a moment: up to batch_size rows of each. Returns how many; call it until both are 0. What somebody else holds stays for the next time. What came of a reminder''s episode of that moment stays. From then on the history begins with that moment, and questions about before raise. Where an organization closes periods, what came after its last closed one stays, whatever the moment: the next is told from it.
22004 for NULL, 22023 for a moment that lies ahead or is infinite, or a size outside 1 to 10,000, 42501 where row security may hide rows.';
COMMENT ON FUNCTION assignment_reminders.raise_unknown(TEXT, uuid) IS
    'Raises the error that there is no assignment, organization, student or user with this id, or none that the caller may see. SQL functions call it where a row is missing.
02000 always; 22004 for NULL, 22023 for another word than these.';
COMMENT ON FUNCTION assignment_reminders.record_delivery_event(TEXT, TEXT, TEXT, TEXT, bool) IS
    'Records what the provider reports of a message: delivered, bounced, rejected, complained (the recipient called it spam) or unsubscribed. What a bounce or rejection means is told by the RFC 3463 or SMTP code and the text in error; permanent decides where these are unclear, and false rules a dead address out. A dead address, bounce_limit messages that bounced softly in 90 days since one last arrived, a complaint and an unsubscription opt the person out, with the reason kept. What is the fault of the sender, the message or a policy counts against nobody. True: recorded. False: this event (without an id: this status and verdict of this message) was recorded before.
A person whom somebody else has locked is waited for, a second at most, where the event changes anything of them, and so is whoever forgets the person whom the message went to: 55P03 after that, and nothing is recorded. Report it again.
Of a message whose log names no address, of a person who was forgotten for one, the codes in error are kept and not its text; also of a text with an address in it that is reported while anybody is being forgotten (forget_person()).
Messages are looked for by the message_id that they were marked as sent with, with or without angle brackets, else by what the provider calls them (record_provider_message); in the organization that the session names, in all where it names none.
22004 for NULL, 22023 for another status, an empty event_id, or for a message that several organizations have sent while the session names none, 02000 for one that no reminder was sent with.';
COMMENT ON FUNCTION assignment_reminders.record_delivery_failure(uuid, uuid, TEXT, TEXT, bool, timestamp with time zone) IS
    'Records that sending a claimed reminder failed, and whose fault it was. recipient: as mark_reminder_failed does; and what error says of the address is judged as record_delivery_event judges a bounce of a message to it: a dead address is given up, and the person who has it opted out; one that is theirs no more is not tried again, and the one that they have now is at once; a mailbox that does not take it now counts as one soft bounce when the reminder is given up. sender (what refuses all that the organization sends) and transport (the way there): no attempt is lost, and nothing of the organization is claimed for a while, 15 minutes and 1 minute at first, up to an hour where it fails again as soon as it goes on; claim_rates and the health functions tell of it. NULL: as mark_reminder_failed does. True: recorded. False: the claim no longer holds, and nothing was changed.
permanent is what the caller knows: true gives the reminder up (unless the sender or transport is at fault), and, of a recipient, makes a dead address of what error leaves unclear; false rules a dead address out. NULL leaves it to error.
A person whom somebody else has locked is waited for, a second in one call: after that, what is said of their address does not count, with a WARNING.
Beside what an answer needs, a recipient''s fault needs the rights of record_delivery_event, a sender''s and transport''s those of a claim on claim_rates.
22004 for a NULL id, 22023 for another fault or an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.record_delivery_failures(uuid[], uuid, TEXT[], TEXT[], bool[], timestamp with time zone) IS
    'Records that sending the reminders of one claim failed, as record_delivery_failure does; faults, errors and permanent are pairwise, or NULL. Returns the ids that were not recorded, as mark_reminders_sent does.
22004 for NULL ids, 22023 for arrays of different lengths, another fault or an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.record_digest_failure(uuid[], uuid, TEXT, TEXT, bool, timestamp with time zone) IS
    'Records that sending a message of claim_digests failed, and whose fault it was, as record_delivery_failure does for each of its reminders. They wait for as long as the first of them would alone, so that they come back together; and what is said of the recipient''s address counts once, as it is one message. Returns the ids that were not recorded, as mark_reminders_sent does.
22004 for NULL ids, 22023 for another fault or an as_of over 31 days ahead.';
COMMENT ON FUNCTION assignment_reminders.record_imported_contact() IS
    'Trigger: keeps the contact date that an assignment was inserted with, as a correction.';
COMMENT ON FUNCTION assignment_reminders.record_provider_message(TEXT, TEXT) IS
    'Notes what the mail provider calls a message (as SES, SendGrid and Postmark do), so that its delivery events are found by that name, too: by message_id first, else by this. What is noted once stays. True: the message is known, and its events are found by this name. False: no reminder was sent with this message_id, or another name was noted before and stays.
Messages are looked for in the organization that the session names, in all where it names none.
22004 for NULL, 22023 for an empty name, or for a message that several organizations have sent while the session names none.';
COMMENT ON FUNCTION assignment_reminders.refuse_future_activity() IS
    'Trigger: refuses an activity more than a day ahead. 22008.';
COMMENT ON FUNCTION assignment_reminders.refuse_new_id() IS
    'Trigger: refuses another id for a mentor or an assignment, on which counts and histories rest. 428C9.';
COMMENT ON FUNCTION assignment_reminders.refuse_reused_id() IS
    'Trigger: refuses a mentor with the id of one that was deleted in the same transaction. What was counted on the one would be taken from the other. 27000.';
COMMENT ON FUNCTION assignment_reminders.refuse_update() IS
    'Trigger: refuses to change a history, but to forget_person(). 2F002.';
COMMENT ON FUNCTION assignment_reminders.release_held_run(uuid) IS
    'Releases what runs hold of an organization: follow-ups of which more than follow_up_limit became due by its last evaluation, as evaluation_runs shows them. The next run enqueues what is due then, at whatever hour. Returns whether anything was held.
02000 for an unknown organization, 22004 for NULL, 42501 for whoever row security binds and is not its coordinator or admin.';
COMMENT ON FUNCTION assignment_reminders.reminder_kind(TEXT) IS
    'The kind of reminders of this type; every type that is no other kind''s is a due reminder''s. NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.reminder_kinds() IS
    'The kinds of reminders: what each follows (silence, due date, day, occurrence), whom it goes to (mentor, coordinator, the recipient whom its row names, else the student, or an admin whom it names), and its type, with a row for each; due reminders have many that are not known, so there it is NULL.';
COMMENT ON FUNCTION assignment_reminders.reminder_type_of(TEXT) IS
    'The reminder type of this kind. NULL for due reminders and notices, which have many, and for what is no kind.';
COMMENT ON FUNCTION assignment_reminders.repair_assignment_counts() IS
    'Writes the true counts over wrong ones and returns both; nothing when all are right: for after writes that bypassed triggers. Waits for transactions that have counted but not committed.';
COMMENT ON FUNCTION assignment_reminders.repair_contact_dates() IS
    'Sets contact dates to what activities and corrections say where they differ, and returns both; nothing when all are right. Follow-ups that wait for a silence that was none are withdrawn, as by a contact.';
COMMENT ON FUNCTION assignment_reminders.require_history(TEXT, timestamp with time zone, uuid) IS
    'True. Raises where the rows of a table at a moment cannot be told: SQL functions that tell them ask first.
22023 for a table that is not versioned, and for a moment before the history begins; 22004 for NULL, 42501 where row security may hide rows of the organization (NULL: of any) from the current role.';
COMMENT ON FUNCTION assignment_reminders.require_moment(timestamp with time zone) IS
    'The moment itself.
22004 for NULL, 22008 for infinity.';
COMMENT ON FUNCTION assignment_reminders.require_organization(bool) IS
    'Whether inserts must name their organization, or have the session name it: with true, the default organization is no longer what organization_id falls back to; with false, it is again. Returns how many tables were changed.
42501 for anybody but the tables'' owner, 22004 for NULL.';
COMMENT ON FUNCTION assignment_reminders.require_page_size(INT) IS
    'The page size itself, 1 to 10000 rows. NULL, which is all rows, is NULL.
22023 beyond.';
COMMENT ON FUNCTION assignment_reminders.require_value(anyelement, TEXT) IS
    'The value itself. Where it is NULL, an error that says which argument is missing: 22004.';
COMMENT ON FUNCTION assignment_reminders.require_whole(TEXT[], uuid) IS
    'True. Raises where row security may hide rows of these tables from the current role: SQL functions that must see them whole ask it first. With an organization, its coordinators and admins pass, too: the function is about that one alone.
42501, naming the table. 22004 for NULL tables.';
COMMENT ON FUNCTION assignment_reminders.restore_contact(uuid) IS
    'Takes back a person''s opt-out, whatever its reason, and forgets their soft bounces. What they muted (user_preferences.muted_types) stays so. Returns whether they were opted out.
22004 for NULL, 02000 for an unknown user.';
COMMENT ON FUNCTION assignment_reminders.resume_assignment(uuid, timestamp with time zone) IS
    'Ends the pause of an assignment: the day of as_of, in its organization''s time zone, counts again. Returns whether it was paused.
02000 for an unknown assignment, 22004 for NULL, 22008 for an infinite as_of, 42501 where the caller sees a pause and may not end it.';
COMMENT ON FUNCTION assignment_reminders.resume_mentor(uuid, timestamp with time zone) IS
    'A mentor is back: the day of as_of, in their organization''s time zone, counts again. Returns whether they were away.
02000 for an unknown mentor, 22004 for NULL, 22008 for an infinite as_of, 42501 where the caller sees a pause and may not end it.';
COMMENT ON FUNCTION assignment_reminders.retry_failed_reminders(timestamp with time zone, uuid, INT, timestamp with time zone) IS
    'Makes up to batch_size reminders that were given up since failed_since due again, their attempts back at zero, and returns how many; call it until it returns 0. The claim still skips what should no longer be sent. NULL organization: all.
22004 for NULL, 22008 for an infinite as_of, 22023 for a size outside 1 to 10,000, 02000 for an unknown organization.';
COMMENT ON FUNCTION assignment_reminders.return_reminders(uuid[], uuid) IS
    'Gives claimed reminders back that were not sent: they wait as before the claim, with no attempt lost, and others may claim them at once. Nobody is notified, so that whoever gives back what they cannot send is not woken by it. Returns the ids whose claim no longer holds, or that were not recorded, as mark_reminders_sent does.
22004 for NULL ids.';
COMMENT ON FUNCTION assignment_reminders.run_daily_evaluation(timestamp with time zone) IS
    'Enqueues every follow-up that is due at as_of, of all organizations whose turn it is (reminder_settings.evaluation_hour), and returns what it enqueued; logs the run. Called again on the same day, it enqueues what became due meanwhile. Of an organization where more than follow_up_limit became due by its last evaluation (before today, where there was none), it enqueues nothing, and logs a run of its own as held, until release_held_run(). While another run works, it returns no rows at once and is logged as skipped. A run that fails enqueues nothing, is logged as failed with its error, and warns instead of raising, so that the log is kept.
22004 for NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION assignment_reminders.schedule_daily_evaluation(TEXT, TEXT, interval) IS
    'Schedules the daily run with pg_cron, hourly, so that each organization is evaluated from its evaluation_hour on, in its own morning (those without one get 7); a run a day does, too, and leaves none out. And a watchdog that raises when the last run failed, is missing or ran over 30 minutes, and at the same times a job that tells the admins (enqueue_alerts). Both schedules are pg_cron''s, in its time zone (UTC unless configured otherwise). Calling it again replaces the current role''s jobs. Returns the jobs; warns where pg_cron will not be able to start them.
22004 for NULL, 22023 for an empty schedule or an infinite max_age, 55000 where pg_cron is not in this database, with a hint how to schedule from the one where it is, 42501 without USAGE on the schema cron.';
COMMENT ON FUNCTION assignment_reminders.schedule_delivery_jobs(TEXT, TEXT) IS
    'Schedules the enqueueing of due reminders and of daily summaries with pg_cron. Both schedules are pg_cron''s, in its time zone; summaries need one run in each hour, soon after it begins, in every time zone: some are off by half or a quarter. Calling it again replaces the current role''s jobs. Returns the jobs; warns where pg_cron will not be able to start them.
22004 for NULL, 22023 for an empty schedule, 55000 where pg_cron is not in this database, with a hint how to schedule from the one where it is, 42501 without USAGE on the schema cron.';
COMMENT ON FUNCTION assignment_reminders.set_updated_at() IS
    'Trigger: sets updated_at to now, where the writer did not set it.';
COMMENT ON FUNCTION assignment_reminders.sign_correction() IS
    'Trigger: a correction that a client inserts is numbered and signed here, whatever it says itself. 22008 for a date more than a day ahead.';
COMMENT ON FUNCTION assignment_reminders.simulate_follow_ups(uuid, date, date, jsonb) IS
    'How many follow-ups would have been enqueued on each day from first_day to last_day in the organization''s time zone, on its real history: contacts, mentors, pauses, days off and people as they were known then. A row for each day. reminders, escalations: those that could be sent; undeliverable: found due, but nobody could be written to. is_day_off: NULL where no run came, since the organization or its settings were not there.
settings: what should have held instead of what did: an object of reminder_after_days, escalate_after_days (null or 0: off), escalation_grace_days, weekly_days_off, follow_up_from and fallback_coordinator_id; what is not named is as it was each day. Runs come hourly, from the evaluation hour on, as schedule_daily_evaluation() makes them; what one enqueues is sent before the next one; nothing is held as a backlog (follow_up_limit). What had been sent before the first run is known to it. Days that are yet to come go on from how things stand now, as if nobody did anything.
22004 for NULL, 22008 for an infinite day, 22023 for a day before the history begins, naming it, for days in the wrong order or of more than ten years, an unknown setting, negative days or an unknown weekday; 22P02 or 22007 for a setting of another type, 02000 for an unknown organization or fallback coordinator, 42501 where row security may hide rows: coordinators and admins may ask about their organization.';
COMMENT ON FUNCTION assignment_reminders.skip_reason(assignment_reminders.reminder_facts) IS
    'Why a reminder should no longer be sent; NULL: it should. Claims ask this of every reminder they hand out.
22004 for NULL facts, or for a NULL reminder_type or as_of among them.';
COMMENT ON FUNCTION assignment_reminders.sync_completed() IS
    'Trigger: makes completed and status agree: the one that was written leads. Keeps when it was completed.';
COMMENT ON FUNCTION assignment_reminders.tell_workers() IS
    'Trigger: reminders that somebody inserts by hand wake workers as those do that are enqueued, which say so themselves.';
COMMENT ON FUNCTION assignment_reminders.time_ordered_id() IS
    'A new UUID, version 7: ascending within a session and, to the millisecond, across them.';
COMMENT ON FUNCTION assignment_reminders.uninstall() IS
    'Takes away what ties the tables to the extension, in one transaction: the caller''s pg_cron jobs, triggers, policies and views of ours. Defaults of organization_id become the organization that the session''s claims or setting name, else the default one (after require_organization(true): none), without a function of ours, and columns that triggers filled get a default, so that inserts go on working. Every row, constraint and index stays; DROP EXTENSION then succeeds without CASCADE. Row security stays on where it was: whom it binds, sees nothing until there are other policies. Counts and contact dates are no longer kept, until CREATE EXTENSION and install() catch up. Returns what was done.
42501 when the caller does not own the tables, 25001 in a transaction that is not READ COMMITTED.';
COMMENT ON FUNCTION assignment_reminders.unreachable_reason(TEXT, bool, bool, bool) IS
    'Why somebody cannot be written to, NULL when they can: no_mentor, no_coordinator or recipient_gone (is_opted_out is NULL: there is no such person), opted_out, muted or no_address. addressee: mentor, coordinator, recipient or admin. is_muted: whether they want none of what it is about; NULL: no.
22023 for another one, 22004 for NULL.';
COMMENT ON FUNCTION assignment_reminders.unschedule_daily_evaluation() IS
    'Removes the jobs that schedule_daily_evaluation made for the current role, and returns how many there were.
55000 where pg_cron is not in this database, 42501 without USAGE on the schema cron.';
COMMENT ON FUNCTION assignment_reminders.unschedule_delivery_jobs() IS
    'Removes the jobs that schedule_delivery_jobs made for the current role, and returns how many there were.
55000 where pg_cron is not in this database, 42501 without USAGE on the schema cron.';
COMMENT ON FUNCTION assignment_reminders.unsubscribe(TEXT, TEXT) IS
    'What whoever holds a person''s token asks for: nothing more of one reminder_type, or (NULL) nothing at all any more. For everybody who may call it: the token alone says who it is about, and it writes with the rights of the tables'' owner, whatever the row security.
NULL opts the person out, as the event unsubscribed does. A type is added to user_preferences.muted_types: of due dates as due, since all of them are meant; of others by its name. A kind (reminder_kinds()) may be given for all of its types. Claims skip both. True: it is so from now on; false: it was so before, also where a type is muted by its kind, or a kind by all of its types.
02000 for an unknown token, 22023 for a type that is neither ours nor of a reminder that this person has, 22004 for a NULL token, 25006 in a transaction that may not write.';
COMMENT ON FUNCTION assignment_reminders.unsubscribe_token(uuid) IS
    'A person''s token for unsubscribe(), to be put into messages to them. By the caller''s rights on unsubscribe_tokens, which workers have.
02000 for a person who is not known or has none, 22004 for NULL.';
COMMENT ON FUNCTION assignment_reminders.unsubscribe_tokens_of(uuid[]) IS
    'The tokens of these people, each at its person''s place; NULL for whoever has none. By the caller''s rights on unsubscribe_tokens; in a claim, which returns them to its worker, with those of the tables'' owner. NULL for NULL.';
COMMENT ON FUNCTION assignment_reminders.update_last_contact_date(uuid, date) IS
    'Moves an assignment''s contact date forward to contact_date and returns the date that now holds; an earlier one changes nothing.
02000 for an unknown assignment, 22004 for NULL, 22008 for a date more than a day ahead.';
COMMENT ON FUNCTION assignment_reminders.watch_daily_evaluation(interval) IS
    'Raises when evaluation_health is critical, so that pg_cron''s own job list shows it; returns the status otherwise.
55000 with the reasons, 22004 for NULL, 22023 for an infinite max_age.';
COMMENT ON FUNCTION assignment_reminders.without_addresses(TEXT, TEXT[], TEXT[]) IS
    'A text in which the word forgotten stands for each of these addresses, however they are capitalized; not for those that are spared. NULL for a NULL text; NULL addresses are none.';
COMMENT ON FUNCTION assignment_reminders.without_text(TEXT) IS
    'A provider''s report with nothing left of its text but the SMTP and the RFC 3463 code. NULL for NULL.';
