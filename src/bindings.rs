//! The SQL bindings of the rules: convert, call, return. The decisions are in `rules`.

use chrono::{NaiveDate, TimeDelta};
use pgrx::Uuid;
use pgrx::datum::{Date, Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use crate::arguments::is_infinite;
use crate::organization::organization_of;
use crate::rules::calendar::{Calendar, DaysOfWeek, Span, UnknownWeekday};
use crate::rules::contact::{days_since_last_contact as rule_days_since_last_contact, silent_since};
use crate::rules::delivery::{self, Assignment, Day, Facts};
use crate::rules::due::{self, DueOffset};
use crate::rules::evaluation::{self, Hour, Turn};
use crate::rules::follow_up::{
    self, Action, Called, Days, Evaluation, LatestStarts, MentorsReminder, Silence, Thresholds,
};
use crate::rules::kind::{Addressee, KINDS, Kind};
use crate::rules::outbox::{self, Due, Enqueued};
use crate::rules::outlook::{self, Escalation, Forgotten, Outlook};
use crate::rules::recipient::{self, Recipient};
use crate::rules::retry;
use crate::server::argument::{Record, takes};
use crate::server::calendar::{calendar_date, date, nearest_date, nearest_moment, utc_date};
use crate::server::errors::{Result, broken_statement, invalid_argument, negative_threshold, null_argument, unknown};
use crate::server::result::{Columns, Composite, SetOf, Value, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::Named;
use crate::server::statement::{Statement, types};

returns!(Evaluation: Composite, "assignment_reminders.evaluation");

impl Columns for Evaluation {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>> {
        [value("action", self.action.name()), value("days_since", self.days_since)]
    }
}

/// Whole days from the last contact to `as_of`. NULL without contact.
///
/// 22008 for infinite dates.
#[pg_extern(immutable, parallel_safe)]
fn days_since_last_contact(
    last_contact_date: Option<Date>,
    as_of: default!(Option<Date>, "current_date"),
) -> Result<Option<i32>> {
    let Some(as_of) = as_of else { return Ok(None) };
    let last_contact = last_contact_date.map(|date| calendar_date("last_contact_date", date)).transpose()?;
    Ok(rule_days_since_last_contact(last_contact, calendar_date("as_of", as_of)?))
}

/// Whether days >= threshold. False when either is NULL.
///
/// 22023 for a negative threshold.
#[pg_extern(immutable, parallel_safe)]
fn is_reminder_due(days: Option<i32>, threshold: Option<i32>) -> Result<bool> {
    Ok(follow_up::is_reminder_due(days, days_of(threshold)?))
}

/// Whether days >= threshold, and a reminder was sent. False when anything is NULL.
///
/// 22023 for a negative threshold.
#[pg_extern(immutable, parallel_safe)]
fn is_escalation_due(
    days: Option<i32>,
    threshold: Option<i32>,
    last_reminder_sent_at: Option<TimestampWithTimeZone>,
) -> Result<bool> {
    let since_reminder = last_reminder_sent_at.map(|_| i32::MAX);
    Ok(follow_up::is_escalation_due(days, days_of(threshold)?, since_reminder, Days::default()))
}

/// Whether days >= threshold, and a reminder was sent at least escalation_grace_days ago (days_since_reminder; NULL: none was). False when
/// anything is NULL.
///
/// 22023 for a negative threshold or grace.
#[pg_extern(name = "is_escalation_due", immutable, parallel_safe)]
fn is_escalation_due_after_grace(
    days: Option<i32>,
    threshold: Option<i32>,
    days_since_reminder: Option<i32>,
    escalation_grace_days: Option<i32>,
) -> Result<bool> {
    let Some(grace) = days_of(escalation_grace_days)? else { return Ok(false) };
    Ok(follow_up::is_escalation_due(days, days_of(threshold)?, days_since_reminder, grace))
}

/// What an open assignment with these values calls for: none, remind or escalate, and the days of its silence, which began with the
/// last contact, but not before assigned_on. The reminder counts if its UTC date is not before the day the silence began. NULL
/// last_contact_date: there never was any. NULL threshold: that action is off. Days off, pauses and grace are not asked for.
///
/// 22004 for a NULL assigned_on or as_of, 22008 for infinite dates, 22023 for a negative threshold.
#[pg_extern(name = "evaluate_assignment", immutable, parallel_safe)]
fn evaluate_values(
    last_contact_date: Option<Date>,
    assigned_on: Option<Date>,
    last_reminder_sent_at: Option<TimestampWithTimeZone>,
    reminder_after_days: Option<i32>,
    escalate_after_days: Option<i32>,
    as_of: default!(Option<Date>, "current_date"),
) -> Result<Composite<Evaluation>> {
    evaluate_values_with_grace(
        last_contact_date,
        assigned_on,
        last_reminder_sent_at,
        reminder_after_days,
        escalate_after_days,
        as_of,
        Some(0),
    )
}

/// The same, where a mentor who was reminded has escalation_grace_days before the coordinator is told.
///
/// 22004 for a NULL assigned_on, as_of or grace, 22008 for infinite dates, 22023 for a negative threshold or grace.
#[pg_extern(name = "evaluate_assignment", immutable, parallel_safe)]
fn evaluate_values_with_grace(
    last_contact_date: Option<Date>,
    assigned_on: Option<Date>,
    last_reminder_sent_at: Option<TimestampWithTimeZone>,
    reminder_after_days: Option<i32>,
    escalate_after_days: Option<i32>,
    as_of: Option<Date>,
    escalation_grace_days: Option<i32>,
) -> Result<Composite<Evaluation>> {
    let assigned_on = assigned_on.ok_or_else(|| null_argument("assigned_on"))?;
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let last_contact = last_contact_date.map(|date| calendar_date("last_contact_date", date)).transpose()?;
    let sent_on = last_reminder_sent_at.map(|moment| utc_date("last_reminder_sent_at", moment)).transpose()?;
    let silence = Silence {
        since: silent_since(last_contact, calendar_date("assigned_on", assigned_on)?),
        stopped: &[],
        is_mentor_unreachable: false,
        reminder: sent_on.map(|sent_on| MentorsReminder {
            status: "sent",
            skip_reason: None,
            sent_at: Some(sent_on),
            scheduled_for: sent_on,
        }),
    };
    let thresholds = thresholds_of(reminder_after_days, escalate_after_days, escalation_grace_days)?;
    let as_of = calendar_date("as_of", as_of)?;
    Ok(Composite(follow_up::evaluate(silence, thresholds, &Calendar::default(), as_of).evaluation))
}

takes!(
    /// What decides what a silence calls for.
    SilenceFacts, "assignment_reminders.silence_facts"
);

returns!(Called: Composite, "assignment_reminders.called");

impl Columns for Called {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>> {
        [
            value("action", self.evaluation.action.name()),
            value("days_since", self.evaluation.days_since),
            value("due_on", self.due_on.and_then(date)),
        ]
    }
}

/// What the silence of an open assignment calls for, its days, and since which day it has called for that (NULL for none): what
/// evaluate_assignment says of values, with the organization's days off, the assignment's pauses and what became of its mentor's reminder.
/// Runs ask this of every assignment that is long silent.
///
/// 22004 for NULL facts, or for a NULL silent_since, as_of or escalation_grace_days among them, 22023 for a negative threshold or an
/// unknown weekday.
#[pg_extern(immutable, parallel_safe)]
fn evaluate_silence(facts: Option<Record<SilenceFacts>>) -> Result<Composite<Called>> {
    let known = Known::of(&facts.ok_or_else(|| null_argument("facts"))?)?;
    Ok(Composite(follow_up::evaluate(known.silence(), known.thresholds, &known.calendar, known.as_of)))
}

/// The facts of a silence (silence_facts).
pub struct Known {
    pub since: NaiveDate,
    pub as_of: NaiveDate,
    stopped: Vec<Span>,
    pub mentor_unreachable: Option<String>,
    reminder_status: Option<String>,
    reminder_skip_reason: Option<String>,
    reminder_sent_on: Option<NaiveDate>,
    reminder_scheduled_on: Option<NaiveDate>,
    pub thresholds: Thresholds,
    pub calendar: Calendar,
}

impl Known {
    pub fn of(facts: &impl Named) -> Result<Self> {
        let day = |name| Ok(facts.named::<Date>(name)?.map(nearest_date));
        let days = |name| facts.named::<Vec<Option<Date>>>(name);
        let number = |name| facts.named::<i32>(name);
        Ok(Self {
            since: day("silent_since")?.ok_or_else(|| null_argument("silent_since"))?,
            as_of: day("as_of")?.ok_or_else(|| null_argument("as_of"))?,
            stopped: spans(days("paused_from")?, days("paused_until")?),
            mentor_unreachable: facts.named("mentor_unreachable")?,
            reminder_status: facts.named("reminder_status")?,
            reminder_skip_reason: facts.named("reminder_skip_reason")?,
            reminder_sent_on: day("reminder_sent_on")?,
            reminder_scheduled_on: day("reminder_scheduled_on")?,
            thresholds: thresholds_of(
                number("reminder_after_days")?,
                number("escalate_after_days")?,
                number("escalation_grace_days")?,
            )?,
            calendar: calendar_of(
                facts.named("weekly_days_off")?,
                days("off_from")?,
                days("off_until")?,
                facts.named::<Date>("follow_up_from")?,
            )?,
        })
    }

    pub fn silence(&self) -> Silence<'_> {
        let scheduled_for = self.reminder_scheduled_on.or(self.reminder_sent_on);
        let reminder =
            self.reminder_status.as_deref().zip(scheduled_for).map(|(status, scheduled_for)| MentorsReminder {
                status,
                skip_reason: self.reminder_skip_reason.as_deref(),
                sent_at: self.reminder_sent_on,
                scheduled_for,
            });
        let is_mentor_unreachable = self.mentor_unreachable.is_some();
        Silence { since: self.since, stopped: &self.stopped, is_mentor_unreachable, reminder }
    }
}

returns!(Foreseen: Composite, "assignment_reminders.outlook");

/// An outlook, and the days that have counted.
pub struct Foreseen {
    outlook: Outlook,
    counted_days: i32,
}

/// Whether somebody will hear of every silence of an organization with these settings that began by as_of, whose mentor and coordinator can be written
/// to, which nothing stops and which was not escalated. off_from, off_until: the first and last days of its days off, pairwise.
///
/// 22004 for a NULL escalation_grace_days or as_of, 22008 for an infinite as_of, 22023 for a negative threshold or an unknown weekday.
#[pg_extern(immutable, parallel_safe)]
fn every_silence_is_heard(
    reminder_after_days: Option<i32>,
    escalate_after_days: Option<i32>,
    escalation_grace_days: Option<i32>,
    as_of: Option<Date>,
    weekly_days_off: Option<Vec<Option<i32>>>,
    off_from: Option<Vec<Option<Date>>>,
    off_until: Option<Vec<Option<Date>>>,
    follow_up_from: Option<Date>,
) -> Result<bool> {
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let thresholds = thresholds_of(reminder_after_days, escalate_after_days, escalation_grace_days)?;
    let calendar = calendar_of(weekly_days_off, off_from, off_until, follow_up_from)?;
    Ok(outlook::every_silence_is_heard(thresholds, &calendar, calendar_date("as_of", as_of)?))
}

impl Columns for Foreseen {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>> {
        let Outlook { state, next, forgotten } = self.outlook;
        [
            value("state", state.name()),
            value("counted_days", self.counted_days),
            value("next_action", next.map(|(action, _)| action.name())),
            value("next_on", next.and_then(|(_, on)| date(on))),
            value("forgotten", forgotten.map(Forgotten::name)),
            value("is_decided", forgotten.map(Forgotten::is_decided)),
        ]
    }
}

/// How far the silence of an open assignment that is followed up has got, what comes next and when, if nothing changes, and why nobody will hear of
/// it. coordinator_unreachable: why whoever is told instead of the mentor cannot be written to. The escalation is the one of this silence about
/// whoever is mentor now (no status: there is none); whether it came back, and whether it went to somebody else than it would go to now.
///
/// 22004 for NULL facts, or for a NULL silent_since, as_of or escalation_grace_days among them, 22023 for a negative threshold or an
/// unknown weekday.
#[pg_extern(immutable, parallel_safe)]
fn outlook_of(
    facts: Option<Record<SilenceFacts>>,
    coordinator_unreachable: Option<&str>,
    escalation_status: Option<&str>,
    escalation_skip_reason: Option<&str>,
    escalation_has_come_back: Option<bool>,
    escalation_is_for_another: Option<bool>,
    is_held: Option<bool>,
    has_settings: Option<bool>,
) -> Result<Composite<Foreseen>> {
    let known = Known::of(&facts.ok_or_else(|| null_argument("facts"))?)?;
    let silence = known.silence();
    let escalation = escalation_status.map(|status| Escalation {
        status,
        skip_reason: escalation_skip_reason,
        has_come_back: escalation_has_come_back == Some(true),
        is_for_another: escalation_is_for_another == Some(true),
    });
    let outlook = outlook::outlook(&outlook::Facts {
        silence,
        thresholds: known.thresholds,
        calendar: &known.calendar,
        as_of: known.as_of,
        mentor_unreachable: known.mentor_unreachable.as_deref(),
        coordinator_unreachable,
        escalation,
        is_held: is_held == Some(true),
        has_settings: has_settings != Some(false),
    });
    let counted_days = known.calendar.counted_days(silence.since, known.as_of, silence.stopped);
    Ok(Composite(Foreseen { outlook, counted_days }))
}

/// What this assignment calls for on as_of (NULL: today in its organization's time zone), by its organization's settings and days off, its
/// pauses, and the reminder of this silence to whoever is its mentor now. An assignment that is not open, or not followed up, calls for none.
///
/// 02000 for an unknown assignment, 22004 for NULL.
#[pg_extern(name = "evaluate_assignment", stable)]
fn evaluate_row(assignment_id: Option<Uuid>, as_of: default!(Option<Date>, "NULL")) -> Result<Composite<Evaluation>> {
    const WHOLE: Whole = Whole::reads(&[
        "assignments",
        "assignment_pauses",
        "organizations",
        "reminder_settings",
        "days_off",
        "peer_mentors",
        "mentor_pauses",
        "users",
        "user_preferences",
        "reminders",
    ]);
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    WHOLE.require_in(|| organization_of(id))?;
    evaluate_one(id, as_of, None)?.map(Composite).ok_or_else(|| unknown("assignment", "assignments", id))
}

/// What an assignment calls for on a day, or (NULL) on the day of a moment in its organization's time zone (NULL: now). `None`: there is none such.
pub fn evaluate_one(
    assignment: Uuid,
    day: Option<Date>,
    moment: Option<TimestampWithTimeZone>,
) -> Result<Option<Evaluation>> {
    static EVALUATE: Statement =
        Statement::by_index(include_str!("../sql/daily/evaluate_one.sql"), &[types::UUID, types::DATE, types::MOMENT]);
    EVALUATE.read(&[assignment.into(), day.into(), moment.into()], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        let action: String = row.not_null("action")?;
        let action = if row.not_null("is_followed_up")? { Action::named(&action) } else { Some(Action::None) };
        let action = action.ok_or_else(|| broken_statement("the statement returned an unknown action"))?;
        Ok(Some(Evaluation { action, days_since: row.not_null("days_since")? }))
    })
}

returns!(LatestStarts: Composite, "assignment_reminders.latest_starts");

impl Columns for LatestStarts {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>> {
        [value("any_action", self.any.and_then(date)), value("beyond_reminder", self.beyond_reminder.and_then(date))]
    }
}

/// The latest days on which silences may have begun that call for something on as_of: for any action, and for one
/// beyond the mentor's reminder. NULL where no silence is long enough. NULL threshold: that action is off. By the calendar of an
/// organization: days that are off do not count, and on one of them nothing is due. off_from, off_until: the first and last days of its
/// days off, pairwise. NULL: nothing is off.
///
/// 22004 for a NULL as_of, 22008 for an infinite one, 22023 for a negative threshold or an unknown weekday.
#[pg_extern(immutable, parallel_safe)]
fn latest_starts_of_silence(
    reminder_after_days: Option<i32>,
    escalate_after_days: Option<i32>,
    as_of: Option<Date>,
    weekly_days_off: default!(Option<Vec<Option<i32>>>, "NULL"),
    off_from: default!(Option<Vec<Option<Date>>>, "NULL"),
    off_until: default!(Option<Vec<Option<Date>>>, "NULL"),
    follow_up_from: default!(Option<Date>, "NULL"),
) -> Result<Composite<LatestStarts>> {
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let thresholds = thresholds_of(reminder_after_days, escalate_after_days, Some(0))?;
    let calendar = calendar_of(weekly_days_off, off_from, off_until, follow_up_from)?;
    Ok(Composite(follow_up::latest_starts(thresholds, &calendar, calendar_date("as_of", as_of)?)))
}

/// Whether it is an organization's turn in a run at as_of: where its evaluation hour has passed on its local day (todays_hour), or has come since it
/// was last its turn (yesterdays_hour; turn_at: that turn or, before the first one, its creation), or where the last two runs (last_runs, the later one
/// first) say that runs are daily. A NULL todays_hour or yesterdays_hour: it has none, and it is its turn in every
/// run. So it is after a release.
///
/// 22004 for a NULL as_of or turn_at.
#[pg_extern(immutable, parallel_safe)]
fn is_evaluation_due(
    as_of: Option<TimestampWithTimeZone>,
    todays_hour: Option<TimestampWithTimeZone>,
    yesterdays_hour: Option<TimestampWithTimeZone>,
    turn_at: Option<TimestampWithTimeZone>,
    last_runs: Option<Vec<Option<TimestampWithTimeZone>>>,
    is_released: Option<bool>,
) -> Result<bool> {
    let hour = todays_hour
        .zip(yesterdays_hour)
        .map(|(today, yesterday)| Hour { today: nearest_moment(today), yesterday: nearest_moment(yesterday) });
    Ok(evaluation::is_due(&Turn {
        now: nearest_moment(as_of.ok_or_else(|| null_argument("as_of"))?),
        hour,
        last_at: nearest_moment(turn_at.ok_or_else(|| null_argument("turn_at"))?),
        last_runs: last_runs.into_iter().flatten().flatten().map(nearest_moment).collect(),
        is_released: is_released.unwrap_or(false),
    }))
}

/// Whether a day is off by the calendar of an organization: nothing is enqueued on it. off_from, off_until: the first and last days of its
/// days off, pairwise. NULL: nothing is off.
///
/// 22004 for a NULL day, 22008 for an infinite one, 22023 for an unknown weekday.
#[pg_extern(immutable, parallel_safe)]
fn is_day_off(
    day: Option<Date>,
    weekly_days_off: Option<Vec<Option<i32>>>,
    off_from: Option<Vec<Option<Date>>>,
    off_until: Option<Vec<Option<Date>>>,
    follow_up_from: Option<Date>,
) -> Result<bool> {
    let day = calendar_date("day", day.ok_or_else(|| null_argument("day"))?)?;
    Ok(calendar_of(weekly_days_off, off_from, off_until, follow_up_from)?.is_off(day))
}

/// Whether a run holds the follow-ups of an organization: more than follow_up_limit (NULL: no limit) became due by its last evaluation (backlog),
/// and nobody has released them.
///
/// 22004 for a NULL backlog.
#[pg_extern(immutable, parallel_safe)]
fn is_held(backlog: Option<i64>, follow_up_limit: Option<i32>, is_released: Option<bool>) -> Result<bool> {
    let backlog = backlog.ok_or_else(|| null_argument("backlog"))?;
    Ok(evaluation::is_held(backlog, follow_up_limit, is_released.unwrap_or(false)))
}

/// When the mentor's reminder of a silence was dispatched: sent, or given up because it could not reach them. NULL:
/// neither yet. in_this_silence: whether the reminder is about this silence; if not, there is none. mentor_unreachable:
/// why the mentor cannot be written to, NULL if they can; one who cannot counts as reminded at as_of.
///
/// 22004 for a NULL as_of.
#[pg_extern(immutable, parallel_safe)]
fn dispatched_at(
    mentor_unreachable: Option<&str>,
    in_this_silence: Option<bool>,
    status: Option<&str>,
    skip_reason: Option<&str>,
    sent_at: Option<TimestampWithTimeZone>,
    scheduled_for: Option<TimestampWithTimeZone>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Option<TimestampWithTimeZone>> {
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let of_this_silence = status.filter(|_| in_this_silence == Some(true));
    let reminder = of_this_silence.zip(scheduled_for.or(sent_at)).map(|(status, scheduled_for)| MentorsReminder {
        status,
        skip_reason,
        sent_at: sent_at.map(TimestampWithTimeZone::into_inner),
        scheduled_for: scheduled_for.into_inner(),
    });
    let dispatched = follow_up::dispatched_at(mentor_unreachable.is_some(), reminder, as_of.into_inner());
    // One of the moments given.
    Ok(dispatched.and_then(|moment| TimestampWithTimeZone::try_from(moment).ok()))
}

/// The type of the reminder that is sent this long before a due date: 24h, 2d, 90m. A month counts as 30 days. NULL for
/// NULL, and for what is not ahead of a due date, or infinitely far.
#[pg_extern(immutable, parallel_safe)]
fn due_reminder_type(due_offset: Option<Interval>) -> Option<String> {
    let due_offset = due_offset.filter(|offset| !is_infinite(offset))?;
    due::reminder_type(days_in(&due_offset), TimeDelta::microseconds(due_offset.micros()))
}

/// All types of the reminder that is sent this long before a due date, in whatever units it was given; the first is due_reminder_type's: 24h, 1d.
/// NULL as there.
#[pg_extern(immutable, parallel_safe)]
fn due_reminder_types(due_offset: Option<Interval>) -> Option<Vec<String>> {
    let due_offset = due_offset.filter(|offset| !is_infinite(offset))?;
    due::reminder_types(days_in(&due_offset), TimeDelta::microseconds(due_offset.micros()))
}

/// Whether a type of a due reminder is of one of these due_offsets, or of the programme's own and so of none. NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn is_of_due_offset(reminder_type: &str, due_offsets: Vec<Option<Interval>>) -> bool {
    let types = |offset| due_reminder_types(Some(offset)).unwrap_or_default();
    !due::is_reminder_type(reminder_type)
        || due_offsets.into_iter().flatten().any(|offset| types(offset).iter().any(|name| name == reminder_type))
}

/// Whether two due dates are the same one: less than a minute apart. NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn is_same_due_date(one: TimestampWithTimeZone, other: TimestampWithTimeZone) -> bool {
    due::is_same_due_date(nearest_moment(one), nearest_moment(other))
}

/// Whether the reminder of one of an organization's due_offsets is to be enqueued at as_of: from due_at less its
/// longest_offset until due_at, unless the offset's own time had passed when the assignment was created. Offsets are
/// exact lengths (a day is 24 hours, a month 30 days). NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn is_due_offset_open(
    due_at: TimestampWithTimeZone,
    created_at: TimestampWithTimeZone,
    due_offset: Interval,
    longest_offset: Interval,
    as_of: TimestampWithTimeZone,
) -> bool {
    let due = DueOffset {
        due_at: nearest_moment(due_at),
        created_at: nearest_moment(created_at),
        offset: exact_length(due_offset),
        longest_offset: exact_length(longest_offset),
    };
    due::is_to_enqueue(due, nearest_moment(as_of))
}

takes!(
    /// What decides whether a reminder is still sent.
    ReminderFacts, "assignment_reminders.reminder_facts"
);

/// Why a reminder should no longer be sent; NULL: it should. Claims ask this of every reminder they hand out.
///
/// 22004 for NULL facts, or for a NULL reminder_type or as_of among them.
// Not the name that 0.1.0 had for its twelve arguments: a database that is still there must not find this one.
#[pg_extern(name = "skip_reason", immutable, parallel_safe)]
fn skip_reason_by_facts(facts: Option<Record<ReminderFacts>>) -> Result<Option<String>> {
    let facts = facts.ok_or_else(|| null_argument("facts"))?;
    let moment = |name| Ok(facts.get::<TimestampWithTimeZone>(name)?.map(nearest_moment));
    let is = |name| facts.get::<bool>(name);
    // In the order of the attributes: so each is found where it is looked for first.
    let reminder_type: Option<String> = facts.get("reminder_type")?;
    let (anchor, scheduled_for) = (moment("anchor")?, moment("scheduled_for")?);
    let latest_scheduled_for = moment("latest_scheduled_for")?;
    let status: Option<String> = facts.get("assignment_status")?;
    let silent_since = facts.get::<Date>("silent_since")?;
    let due_at = moment("due_at")?;
    let day = Day {
        is_wanted: is("is_wanted")?.unwrap_or(false),
        // Without an anchor, any day.
        is_today: is("is_today")?.unwrap_or(true),
        has_something_to_say: is("has_something_to_say")?.unwrap_or(false),
    };
    let (is_opted_out, has_address) = (is("is_opted_out")?, is("has_address")?);
    let now = moment("as_of")?.ok_or_else(|| null_argument("as_of"))?;
    let (is_paused, is_of_another_mentor) = (is("is_paused")?, is("is_of_another_mentor")?);
    let is_followed_up = is("is_followed_up")?;
    let (is_admin, is_muted, is_called_for) = (is("is_admin")?, is("is_muted")?, is("is_called_for")?);

    let assignment = status.as_deref().zip(silent_since).map(|(status, silent_since)| Assignment {
        status,
        silent_since: nearest_date(silent_since),
        due_at,
        is_followed_up: is_followed_up.unwrap_or(true),
        is_paused: is_paused.unwrap_or(false),
        has_another_mentor: is_of_another_mentor.unwrap_or(false),
    });
    let recipient = is_opted_out.map(|is_opted_out| Recipient {
        is_opted_out,
        has_address: has_address.unwrap_or(false),
        is_muted: is_muted.unwrap_or(false),
    });
    let reason = delivery::skip_reason(&Facts {
        kind: Kind::of(&reminder_type.ok_or_else(|| null_argument("reminder_type"))?),
        anchor,
        scheduled_for: scheduled_for.unwrap_or(now),
        // Without a time of its own it is not beside any other.
        latest_scheduled_for: latest_scheduled_for.filter(|_| scheduled_for.is_some()),
        assignment,
        day,
        recipient,
        is_admin: is_admin.unwrap_or(false),
        is_called_for: is_called_for.unwrap_or(true),
        now,
    });
    Ok(reason.map(|reason| reason.name().to_string()))
}

/// Why somebody cannot be written to, NULL when they can: `no_mentor`, `no_coordinator` or `recipient_gone`
/// (is_opted_out is NULL: there is no such person), opted_out, muted or no_address. addressee: mentor, coordinator,
/// recipient or admin. is_muted: whether they want none of what it is about; NULL: no.
///
/// 22023 for another one, 22004 for NULL.
#[pg_extern(immutable, parallel_safe)]
fn unreachable_reason(
    addressee: Option<&str>,
    is_opted_out: Option<bool>,
    has_address: Option<bool>,
    is_muted: Option<bool>,
) -> Result<Option<String>> {
    let name = addressee.ok_or_else(|| null_argument("addressee"))?;
    let addressee = Addressee::named(name).ok_or_else(|| {
        invalid_argument(
            format!("{name} is not an addressee"),
            "Reminders go to a mentor, a coordinator, a recipient or an admin.",
            "Give 'mentor', 'coordinator', 'recipient' or 'admin'.",
        )
    })?;
    let recipient = is_opted_out.map(|is_opted_out| Recipient {
        is_opted_out,
        has_address: has_address.unwrap_or(false),
        is_muted: is_muted.unwrap_or(false),
    });
    Ok(recipient::unreachable_reason(addressee, recipient).map(|reason| reason.name().to_string()))
}

/// Whether a reminder that was skipped for this reason was skipped because it could reach nobody. NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn is_unreachable(skip_reason: &str) -> bool {
    recipient::is_unreachable(skip_reason)
}

/// Whether reminders of a type are muted by these elements of user_preferences.muted_types: one is the type, or the name of its kind
/// (reminder_kinds()). NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn is_muted(muted_types: Vec<Option<String>>, reminder_type: &str) -> bool {
    recipient::is_muted(muted_types.iter().flatten().map(String::as_str), reminder_type)
}

/// Whether an escalation goes to the organization's fallback coordinator and not to the assignment's: where there is none, and where only the
/// fallback can be reached. Each: why that one cannot be written to (unreachable_reason); NULL: they can.
#[pg_extern(immutable, parallel_safe)]
fn goes_to_fallback(coordinator_unreachable: Option<&str>, fallback_unreachable: Option<&str>) -> bool {
    recipient::goes_to_fallback(coordinator_unreachable, fallback_unreachable)
}

/// Whether a person with these values can be written to. False when contact_opt_out is NULL: there is no such person. is_muted: whether they
/// want none of what it is about; NULL: no.
// Not unreachable_reason(...) IS NULL: the planner takes that for one row in 200.
#[pg_extern(immutable, parallel_safe)]
fn is_reachable(contact_opt_out: Option<bool>, email: Option<&str>, is_muted: default!(Option<bool>, false)) -> bool {
    let recipient = contact_opt_out.map(|is_opted_out| Recipient {
        is_opted_out,
        has_address: email.is_some(),
        is_muted: is_muted.unwrap_or(false),
    });
    recipient::unreachable_reason(Addressee::Recipient, recipient).is_none()
}

/// Whether a row of the outbox becomes pending again, with all its attempts, for what is due now: its anchor moved, or
/// what it was skipped for no longer holds, or a follow-up is of another mentor than the assignment has now, or failed for somebody else, or of a due date at another address, than
/// (is_for_another) it would go to now. Enqueueing asks this of
/// rows that are there already. due_skip_reason: why what is due now could not be sent, if so.
///
/// 22004 for a NULL reminder_type, status or due_anchor.
#[pg_extern(immutable, parallel_safe)]
fn is_rearmed(
    reminder_type: Option<&str>,
    anchor: Option<TimestampWithTimeZone>,
    status: Option<&str>,
    skip_reason: Option<&str>,
    due_anchor: Option<TimestampWithTimeZone>,
    due_skip_reason: Option<&str>,
    is_of_another_mentor: default!(Option<bool>, false),
    is_for_another: default!(Option<bool>, false),
) -> Result<bool> {
    let kind = Kind::of(reminder_type.ok_or_else(|| null_argument("reminder_type"))?);
    let row = Enqueued {
        anchor: anchor.map(nearest_moment),
        status: status.ok_or_else(|| null_argument("status"))?,
        skip_reason,
        is_of_another_mentor: is_of_another_mentor.unwrap_or(false),
        is_for_another: is_for_another.unwrap_or(false),
    };
    let due_anchor = nearest_moment(due_anchor.ok_or_else(|| null_argument("due_anchor"))?);
    Ok(outbox::is_rearmed(kind.follows, row, Due { anchor: due_anchor, skip_reason: due_skip_reason }))
}

/// What becomes of a reminder that was claimed and never answered for: retry, retry_alone (in a claim of its own) or
/// give_up. attempts counts the lost one. NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn after_loss(attempts: i32, max_attempts: i32) -> &'static str {
    retry::after_loss(attempts, max_attempts).name()
}

returns!(
    /// The kinds.
    ReminderKinds: SetOf, "TABLE (kind text, reminder_type text, follows text, addressee text)"
);
returns!(KindOfType: Composite, "assignment_reminders.reminder_kind");

/// A kind, and one of its types (`None`: those that are not named).
struct KindOfType {
    kind: Kind,
    reminder_type: Option<&'static str>,
}

impl KindOfType {
    /// The types of a kind.
    fn each(kind: Kind) -> Vec<Self> {
        let named = kind.reminder_types.iter().map(|&reminder_type| Some(reminder_type));
        let unnamed = kind.reminder_types.is_empty().then_some(None);
        named.chain(unnamed).map(|reminder_type| Self { kind, reminder_type }).collect()
    }
}

impl Columns for KindOfType {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>> {
        [
            value("kind", self.kind.name),
            value("reminder_type", self.reminder_type),
            value("follows", self.kind.follows.name()),
            value("addressee", self.kind.addresses.name()),
        ]
    }
}

/// The kinds of reminders: what each follows (silence, due date, day, occurrence), whom it goes to (mentor, coordinator, the
/// recipient whom its row names, else the student, or an admin whom it names), and its type, with a row for each; due reminders have
/// many that are not known, so there it is NULL.
#[pg_extern(immutable, parallel_safe)]
fn reminder_kinds() -> SetOf<ReminderKinds> {
    SetOf::values(KINDS.iter().flat_map(|&kind| KindOfType::each(kind)).map(KindOfType::columns))
}

/// The kind of reminders of this type; every type that is no other kind's is a due reminder's. NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn reminder_kind(reminder_type: &str) -> Composite<KindOfType> {
    let kind = Kind::of(reminder_type);
    let known = kind.reminder_types.iter().copied().find(|known| *known == reminder_type);
    Composite(KindOfType { kind, reminder_type: known })
}

/// The reminder type of this kind. NULL for due reminders and notices, which have many, and for what is no kind.
#[pg_extern(immutable, parallel_safe)]
fn reminder_type_of(kind: &str) -> Option<String> {
    Kind::named(kind)?.reminder_type().map(str::to_string)
}

/// The days of an interval, without its time. A month counts as 30.
fn days_in(interval: &Interval) -> i64 {
    i64::from(interval.months()) * 30 + i64::from(interval.days())
}

fn exact_length(interval: Interval) -> TimeDelta {
    TimeDelta::try_days(days_in(&interval))
        .and_then(|days| days.checked_add(&TimeDelta::microseconds(interval.micros())))
        .unwrap_or(TimeDelta::MAX)
}

pub fn thresholds_of(
    reminder_after_days: Option<i32>,
    escalate_after_days: Option<i32>,
    escalation_grace_days: Option<i32>,
) -> Result<Thresholds> {
    Ok(Thresholds {
        reminder_after: days_of(reminder_after_days)?,
        escalate_after: days_of(escalate_after_days)?,
        escalation_grace: days_of(escalation_grace_days)?.ok_or_else(|| null_argument("escalation_grace_days"))?,
    })
}

pub fn calendar_of(
    weekly_days_off: Option<Vec<Option<i32>>>,
    off_from: Option<Vec<Option<Date>>>,
    off_until: Option<Vec<Option<Date>>>,
    follow_up_from: Option<Date>,
) -> Result<Calendar> {
    let weekdays: Vec<i32> = weekly_days_off.into_iter().flatten().flatten().collect();
    let weekly = DaysOfWeek::of(&weekdays).map_err(|UnknownWeekday(number)| {
        invalid_argument(
            format!("{number} is not a weekday"),
            "Weekdays are the numbers of ISO 8601: 1 is Monday, 7 Sunday.",
            "Give numbers from 1 to 7.",
        )
    })?;
    Ok(Calendar { weekly, off: spans(off_from, off_until), from: follow_up_from.map(nearest_date) })
}

/// Pairwise; a pair that is not whole, or ends before it begins, is no span.
fn spans(first: Option<Vec<Option<Date>>>, last: Option<Vec<Option<Date>>>) -> Vec<Span> {
    let pairs = first.into_iter().flatten().zip(last.into_iter().flatten());
    pairs
        .filter_map(|(first, last)| Some(Span { first: nearest_date(first?), last: nearest_date(last?) }))
        .filter(|span| span.first <= span.last)
        .collect()
}

fn days_of(threshold: Option<i32>) -> Result<Option<Days>> {
    threshold.map(Days::try_from).transpose().map_err(negative_threshold)
}
