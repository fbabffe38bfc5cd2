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
