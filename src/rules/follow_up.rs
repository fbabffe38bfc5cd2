//! Follow-ups: when a silent assignment's mentor is reminded, and when the coordinator is told.
//!
//! ```text
//!            reminder_after_days               escalate_after_days, and reminded escalation_grace_days ago
//!   silent ----------------------> remind ------------------------------------> escalate
//!     ^                               |  ^                                          |
//!     |                               |  +----------- a new mentor ----------------+
//!     +------------- contact --------+------------------- contact -----------------+
//! ```
//!
//! All of these are counted days (calendar.rs); on a day that does not count, nothing happens.

use std::fmt;

use chrono::{Days as CalendarDays, NaiveDate};

use super::calendar::{Calendar, Span};
use super::contact::days_between;
use super::kind::{Addressee, Kind};

/// What a silent assignment calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    None,
    Remind,
    Escalate,
}

/// An action and the days of silence that called for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    pub action: Action,
    pub days_since: i32,
}

/// When an organization acts. `None` switches the action off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    pub reminder_after: Option<Days>,
    pub escalate_after: Option<Days>,
    /// How long a mentor who was reminded has, before the coordinator is told.
    pub escalation_grace: Days,
}

/// A threshold: a number of days that is not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(i32);

/// A threshold below zero, which no silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegativeThreshold(pub i32);

impl Days {
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for Days {
    type Error = NegativeThreshold;

    fn try_from(days: i32) -> Result<Self, NegativeThreshold> {
        if days < 0 { Err(NegativeThreshold(days)) } else { Ok(Self(days)) }
    }
}

impl fmt::Display for NegativeThreshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a threshold of {} days is negative", self.0)
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::None, Self::Remind, Self::Escalate];

    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Remind => "remind",
            Self::Escalate => "escalate",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl Thresholds {
    /// The threshold of an action.
    const fn of(self, action: Action) -> Option<Days> {
        match action {
            Action::None => None,
            Action::Remind => self.reminder_after,
            Action::Escalate => self.escalate_after,
        }
    }
}

/// Whether silence has reached the threshold; the boundary day is due. Unknown silence or no threshold: not due.
#[must_use]
pub fn is_reminder_due(days: Option<i32>, threshold: Option<Days>) -> bool {
    matches!((days, threshold), (Some(days), Some(Days(threshold))) if days >= threshold)
}

/// Whether silence has reached the threshold although a reminder was sent in this silence, and is so many days old.
#[must_use]
pub fn is_escalation_due(
    days: Option<i32>,
    threshold: Option<Days>,
    days_since_reminder: Option<i32>,
    grace: Days,
) -> bool {
    is_reminder_due(days_since_reminder, Some(grace)) && is_reminder_due(days, threshold)
}

/// The latest starts of the silences that a run must look at: a silence that began later calls for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestStarts {
    /// Of those that call for anything.
    pub any: Option<NaiveDate>,
    /// Of those that call for more than the mentor's reminder.
    pub beyond_reminder: Option<NaiveDate>,
}

/// The latest starts of the silences that reach these thresholds on `as_of`. On a day off none does.
#[must_use]
pub fn latest_starts(thresholds: Thresholds, calendar: &Calendar, as_of: NaiveDate) -> LatestStarts {
    if calendar.is_off(as_of) {
        return LatestStarts { any: None, beyond_reminder: None };
    }
    let start = |action| calendar.latest_start(thresholds.of(action)?, as_of);
    let others = Action::ALL.into_iter().filter(|&action| action != Action::Remind);
    let beyond_reminder = others.filter_map(start).max();
    LatestStarts { any: beyond_reminder.max(start(Action::Remind)), beyond_reminder }
}

/// The mentor's reminder as it stands in the outbox; moments are of any kind that can be compared.
#[derive(Clone, Copy, Debug)]
pub struct MentorsReminder<'a, Moment> {
    pub status: &'a str,
    pub skip_reason: Option<&'a str>,
    pub sent_at: Option<Moment>,
    pub scheduled_for: Moment,
}

/// When the mentor was reminded of this silence: the reminder was sent, or given up because it could not reach them. A
/// silence must not be overlooked because a mail bounced or because nobody can be written to. `None`: not yet, or a worker
/// still has it and will find out. `reminder` is the one of this silence, to whoever is mentor now, if there is one.
///
/// `scheduled_for` counts where it is later than `sent_at`, so that a simulated `as_of` agrees with itself.
#[must_use]
pub fn dispatched_at<Moment: Ord + Copy>(
    is_mentor_unreachable: bool,
    reminder: Option<MentorsReminder<Moment>>,
    as_of: Moment,
) -> Option<Moment> {
    let unreachable_now = is_mentor_unreachable.then_some(as_of);
    let Some(reminder) = reminder else { return unreachable_now };
    match (reminder.status, reminder.skip_reason) {
        ("pending", _) => None,
        ("sent" | "failed", _) | ("skipped", Some("no_mentor" | "no_address" | "opted_out" | "muted")) => {
            Some(reminder.sent_at.map_or(reminder.scheduled_for, |sent_at| sent_at.max(reminder.scheduled_for)))
        }
        _ => unreachable_now,
    }
}

/// Everything that decides what an open assignment calls for.
#[derive(Clone, Copy, Debug)]
pub struct Silence<'a> {
    /// The day on which it began.
    pub since: NaiveDate,
    /// The days on which the assignment was paused or not open.
    pub stopped: &'a [Span],
    pub is_mentor_unreachable: bool,
    /// The reminder of this silence, to whoever is mentor now, if there is one; by days of the organization.
    pub reminder: Option<MentorsReminder<'a, NaiveDate>>,
}

/// What a silence calls for on `as_of`, and since which day it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called {
    pub evaluation: Evaluation,
    /// The first day on which it called for that, had settings and data been these. `None` where it calls for nothing.
    pub due_on: Option<NaiveDate>,
}

/// What a silence calls for on `as_of`. Escalation wins over reminding. On a day off, and while it is paused, it calls for nothing.
#[must_use]
pub fn evaluate(silence: Silence, thresholds: Thresholds, calendar: &Calendar, as_of: NaiveDate) -> Called {
    let counted = |since, until| calendar.counted_days(since, until, silence.stopped);
    let is_reached = |threshold, day| is_reminder_due(Some(counted(silence.since, day)), threshold);
    let reminded = reminded(silence, thresholds, as_of);
    let may_escalate = |day| match reminded {
        Reminded::Not => false,
        Reminded::Unreachable => is_reached(thresholds.escalate_after, day),
        // One that was sent was, also on a day that elsewhere is tomorrow.
        Reminded::On(on) => {
            let since_reminder = (day >= on.min(as_of)).then(|| counted(on, day).max(0));
            let days = Some(counted(silence.since, day));
            is_escalation_due(days, thresholds.escalate_after, since_reminder, thresholds.escalation_grace)
        }
    };
    let first_day = |holds: &dyn Fn(NaiveDate) -> bool| Some(first_day(silence.since, as_of, holds));
    let (action, due_on) = if calendar.is_off(as_of) || silence.stopped.iter().any(|span| span.contains(as_of)) {
        (Action::None, None)
    } else if may_escalate(as_of) {
        (Action::Escalate, first_day(&may_escalate))
    } else if is_reached(thresholds.reminder_after, as_of) {
        (Action::Remind, first_day(&|day| is_reached(thresholds.reminder_after, day)))
    } else {
        (Action::None, None)
    };
    Called { evaluation: Evaluation { action, days_since: days_between(silence.since, as_of) }, due_on }
}

/// The first day from `as_of` on, that one included, on which the mentor is to be reminded, if nothing changes. `None`: never.
#[must_use]
pub fn next_reminder(
    silence: Silence,
    thresholds: Thresholds,
    calendar: &Calendar,
    as_of: NaiveDate,
) -> Option<NaiveDate> {
    let reached = calendar.first_day_reaching(silence.since, thresholds.reminder_after?, silence.stopped)?;
    calendar.first_day_on(reached.max(as_of), silence.stopped)
}

/// The first day from `as_of` on, that one included, on which the coordinator is to be told, if nothing changes. `None`: never, or not before the
/// mentor was reminded.
#[must_use]
pub fn next_escalation(
    silence: Silence,
    thresholds: Thresholds,
    calendar: &Calendar,
    as_of: NaiveDate,
) -> Option<NaiveDate> {
    let first_day = |since, threshold| calendar.first_day_reaching(since, threshold, silence.stopped);
    // Of a silence that lies ahead, whoever can be reached then counts.
    let as_of = as_of.max(silence.since);
    let grace_is_over = match reminded(silence, thresholds, as_of) {
        Reminded::Not => return None,
        Reminded::Unreachable => as_of,
        Reminded::On(on) if thresholds.escalation_grace == Days::default() => on.min(as_of),
        Reminded::On(on) => first_day(on, thresholds.escalation_grace)?,
    };
    let reached = first_day(silence.since, thresholds.escalate_after?)?;
    calendar.first_day_on(reached.max(grace_is_over).max(as_of), silence.stopped)
}

/// Whether a follow-up that waits is still called for, now that this is what the assignment calls for: the mentor's reminder is while anything is.
#[must_use]
pub fn still_calls_for(kind: Kind, action: Action) -> bool {
    match action {
        Action::None => false,
        Action::Remind => kind.addresses == Addressee::Mentor,
        Action::Escalate => true,
    }
}

/// Whether the mentor was reminded of this silence, as far as that lets the coordinator be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminded {
    Not,
    /// Nobody waits for a mentor who cannot be reached.
    Unreachable,
    On(NaiveDate),
}

/// Where mentors are not reminded at all, only one who was nevertheless was.
#[must_use]
pub fn reminded(silence: Silence, thresholds: Thresholds, as_of: NaiveDate) -> Reminded {
    let is_reminded_of = thresholds.reminder_after.is_some();
    let reminder = silence.reminder.filter(|reminder| is_reminded_of || reminder.status == "sent");
    let is_unreachable = silence.is_mentor_unreachable && is_reminded_of;
    match dispatched_at(is_unreachable, reminder, as_of).filter(|on| *on >= silence.since) {
        None => Reminded::Not,
        Some(_) if is_unreachable => Reminded::Unreachable,
        Some(on) => Reminded::On(on),
    }
}

/// The first day from `since` to `last` on which something holds that goes on holding, and holds on the last one.
fn first_day(since: NaiveDate, last: NaiveDate, holds: impl Fn(NaiveDate) -> bool) -> NaiveDate {
    let (mut holding, mut ago) = (0, days_between(since, last).max(0));
    let before = |days: i32| last - CalendarDays::new(days.unsigned_abs().into());
    // Between the two, holding being the smaller.
    if holds(before(ago)) {
        return before(ago);
    }
    while ago - holding > 1 {
        let middle = holding + (ago - holding) / 2;
        if holds(before(middle)) {
            holding = middle;
        } else {
            ago = middle;
        }
    }
    before(holding)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::super::calendar::DaysOfWeek;
    use super::*;

    const AS_OF: NaiveDate = match NaiveDate::from_ymd_opt(2026, 11, 22) {
        Some(date) => date,
        None => unreachable!(),
    };

    #[allow(clippy::unnecessary_wraps)] // as the rules take thresholds
    fn days(days: i32) -> Option<Days> {
        Some(Days::try_from(days).expect("a test's own threshold"))
    }

    fn days_ago(days: i64) -> NaiveDate {
        AS_OF - Duration::days(days)
    }

    fn thresholds() -> Thresholds {
        Thresholds { reminder_after: days(14), escalate_after: days(28), escalation_grace: Days::default() }
    }

    /// A silence that began so many days ago, whose reminder was sent so many days ago.
    fn silence(silent: i64, sent: Option<i64>) -> Silence<'static> {
        let reminder = sent.map(days_ago).map(|sent_on| MentorsReminder {
            status: "sent",
            skip_reason: None,
            sent_at: Some(sent_on),
            scheduled_for: sent_on,
        });
        Silence { since: days_ago(silent), stopped: &[], is_mentor_unreachable: false, reminder }
    }

    fn evaluated(silence: Silence, thresholds: Thresholds) -> Evaluation {
        evaluate(silence, thresholds, &Calendar::default(), AS_OF).evaluation
    }

    /// The action for an assignment contacted `silent` days ago whose reminder was sent `reminded` days ago.
    fn action(silent: i64, reminded: Option<i64>) -> Action {
        evaluated(silence(silent, reminded), thresholds()).action
    }

    #[test]
    fn what_waits_is_called_for_while_the_assignment_calls_for_it_or_for_more() {
        use super::super::kind::{ESCALATE, REMIND};
        let still = |kind| Action::ALL.map(|action| still_calls_for(kind, action));
        assert_eq!(still(REMIND), [false, true, true]);
        assert_eq!(still(ESCALATE), [false, false, true]);
    }

    #[test]
    fn a_reminder_is_due_from_the_boundary_day_on() {
        assert!(!is_reminder_due(Some(13), days(14)));
        assert!(is_reminder_due(Some(14), days(14)));
        assert!(is_reminder_due(Some(15), days(14)));
    }

    #[test]
    fn nothing_is_due_without_days_or_without_a_threshold() {
        assert!(!is_reminder_due(None, days(14)));
        assert!(!is_reminder_due(Some(99), None));
        assert!(!is_reminder_due(None, None));
        let none = Days::default();
        assert!(!is_escalation_due(None, days(28), Some(9), none));
        assert!(!is_escalation_due(Some(99), None, Some(9), none));
    }

    #[test]
    fn an_escalation_is_due_from_the_boundary_day_on_once_reminded() {
        let none = Days::default();
        assert!(!is_escalation_due(Some(27), days(28), Some(9), none));
        assert!(is_escalation_due(Some(28), days(28), Some(9), none));
        assert!(is_escalation_due(Some(29), days(28), Some(0), none));
        assert!(!is_escalation_due(Some(28), days(28), None, none));
        assert!(!is_escalation_due(Some(9999), days(28), None, none));
    }

    #[test]
    fn a_mentor_who_was_reminded_has_the_days_of_grace() {
        let grace = Days(3);
        assert!(!is_escalation_due(Some(99), days(28), Some(2), grace));
        assert!(is_escalation_due(Some(99), days(28), Some(3), grace));
        let thresholds = Thresholds { escalation_grace: grace, ..thresholds() };
        assert_eq!(evaluated(silence(99, Some(2)), thresholds).action, Action::Remind);
        assert_eq!(evaluated(silence(99, Some(3)), thresholds).action, Action::Escalate);
        // Nobody waits for one who cannot be reached.
        let unreachable = Silence { is_mentor_unreachable: true, ..silence(28, None) };
        assert_eq!(evaluated(unreachable, thresholds).action, Action::Escalate);
    }

    #[test]
    fn where_mentors_are_not_reminded_only_one_who_was_lets_the_coordinator_be_told() {
        let escalate_only = Thresholds { reminder_after: None, ..thresholds() };
        let unreachable = Silence { is_mentor_unreachable: true, ..silence(99, None) };
        assert_eq!(evaluated(unreachable, escalate_only).action, Action::None);
        let mut given_up = silence(99, Some(80));
        given_up.reminder = given_up.reminder.map(|reminder| MentorsReminder { status: "failed", ..reminder });
        assert_eq!(evaluated(given_up, escalate_only).action, Action::None);
        assert_eq!(evaluated(given_up, thresholds()).action, Action::Escalate);
        assert_eq!(evaluated(silence(99, Some(80)), escalate_only).action, Action::Escalate);
    }

    #[test]
    fn on_a_day_off_and_while_it_is_paused_a_silence_calls_for_nothing() {
        let today = Span { first: AS_OF, last: AS_OF };
        assert_eq!(
            evaluated(Silence { stopped: &[today], ..silence(99, Some(80)) }, thresholds()).action,
            Action::None
        );
        for calendar in [
            Calendar { off: vec![today], ..Calendar::default() },
            Calendar { weekly: DaysOfWeek::of(&[7]).expect("Sunday"), ..Calendar::default() },
            Calendar { from: Some(AS_OF + Duration::days(1)), ..Calendar::default() },
        ] {
            let on_a_sunday = evaluate(silence(99, Some(80)), thresholds(), &calendar, AS_OF);
            assert_eq!(on_a_sunday.due_on, None);
            assert_eq!(on_a_sunday.evaluation, Evaluation { action: Action::None, days_since: 99 }, "{calendar:?}");
            assert_eq!(latest_starts(thresholds(), &calendar, AS_OF).any, None, "{calendar:?}");
        }
    }

    #[test]
    fn days_of_a_pause_do_not_count_and_neither_do_they_for_the_grace() {
        let pause = Span { first: days_ago(10), last: days_ago(4) };
        let paused =
            |silent, reminded| evaluated(Silence { stopped: &[pause], ..silence(silent, reminded) }, thresholds());
        assert_eq!(paused(20, None), Evaluation { action: Action::None, days_since: 20 });
        assert_eq!(paused(21, None), Evaluation { action: Action::Remind, days_since: 21 });
        let patient = Thresholds { escalation_grace: Days(5), ..thresholds() };
        let reminded =
            |days_ago| evaluated(Silence { stopped: &[pause], ..silence(60, Some(days_ago)) }, patient).action;
        assert_eq!((reminded(11), reminded(12)), (Action::Remind, Action::Escalate));
    }

    #[test]
    fn what_a_silence_calls_for_it_calls_for_since_the_day_that_reached_the_threshold() {
        let since = |silence| evaluate(silence, thresholds(), &Calendar::default(), AS_OF).due_on;
        assert_eq!(since(silence(13, None)), None);
        assert_eq!(since(silence(14, None)), Some(AS_OF));
        assert_eq!(since(silence(40, None)), Some(days_ago(26)));
        assert_eq!(since(silence(40, Some(20))), Some(days_ago(12)), "the escalation");
        assert_eq!(since(silence(40, Some(5))), Some(days_ago(5)), "not before the reminder");
        assert_eq!(since(Silence { is_mentor_unreachable: true, ..silence(40, None) }), Some(days_ago(12)));
        let patient = Thresholds { escalation_grace: Days(3), ..thresholds() };
        let reminded_late = evaluate(silence(40, Some(5)), patient, &Calendar::default(), AS_OF);
        assert_eq!(reminded_late.due_on, Some(days_ago(2)), "the grace is over");
    }

    #[test]
    fn a_threshold_cannot_be_negative() {
        assert_eq!(Days::try_from(-1), Err(NegativeThreshold(-1)));
        assert_eq!(Days::try_from(i32::MIN), Err(NegativeThreshold(i32::MIN)));
        assert!(Days::try_from(0).is_ok());
    }

    #[test]
    fn a_threshold_of_zero_is_due_on_the_day_itself() {
        assert!(is_reminder_due(Some(0), days(0)));
        assert!(!is_reminder_due(Some(-1), days(0)));
    }

    #[test]
    fn silence_is_reminded_of_then_escalated() {
        assert_eq!(action(13, None), Action::None);
        assert_eq!(action(14, None), Action::Remind);
        assert_eq!(action(27, Some(13)), Action::Remind);
        assert_eq!(action(28, Some(14)), Action::Escalate);
        assert_eq!(action(29, Some(15)), Action::Escalate);
    }

    #[test]
    fn without_a_reminder_even_a_long_silence_is_reminded_of_first() {
        assert_eq!(action(28, None), Action::Remind);
        assert_eq!(action(300, None), Action::Remind);
    }

    #[test]
    fn a_reminder_from_before_this_silence_does_not_count() {
        assert_eq!(action(30, Some(31)), Action::Remind, "sent the day before the contact");
        assert_eq!(action(30, Some(30)), Action::Escalate, "sent on the day the silence began");
        assert_eq!(action(30, Some(29)), Action::Escalate);
    }

    #[test]
    fn a_threshold_that_is_none_switches_its_action_off() {
        let remind_only = Thresholds { escalate_after: None, ..thresholds() };
        assert_eq!(evaluated(silence(99, Some(80)), remind_only).action, Action::Remind);
        let escalate_only = Thresholds { reminder_after: None, ..thresholds() };
        assert_eq!(evaluated(silence(99, None), escalate_only).action, Action::None);
        assert_eq!(evaluated(silence(99, Some(80)), escalate_only).action, Action::Escalate);
    }

    #[test]
    fn a_contact_ahead_of_as_of_calls_for_nothing() {
        assert_eq!(evaluated(silence(-3, None), thresholds()), Evaluation { action: Action::None, days_since: -3 });
    }

    #[test]
    fn the_ends_of_the_calendar_are_evaluated_without_overflow() {
        let sent_on = NaiveDate::MAX;
        let reminder =
            Some(MentorsReminder { status: "sent", skip_reason: None, sent_at: Some(sent_on), scheduled_for: sent_on });
        let whole = Silence { since: NaiveDate::MIN, reminder, ..silence(0, None) };
        let calendar = Calendar {
            weekly: DaysOfWeek::of(&[6, 7]).expect("a weekend"),
            off: vec![Span { first: NaiveDate::MIN, last: NaiveDate::MIN }],
            from: Some(NaiveDate::MIN),
        };
        for calendar in [&Calendar::default(), &calendar] {
            let at = |silence, as_of| evaluate(silence, thresholds(), calendar, as_of).evaluation.action;
            assert_ne!(at(whole, NaiveDate::MAX), Action::Remind);
            assert_eq!(at(Silence { since: NaiveDate::MAX, ..silence(0, None) }, NaiveDate::MIN), Action::None);
        }
    }

    #[test]
    fn the_latest_starts_are_those_of_the_last_silences_that_call_for_something() {
        for (remind, escalate) in
            [(Some(14), Some(28)), (Some(28), Some(14)), (Some(7), None), (None, Some(7)), (None, None)]
        {
            let thresholds = Thresholds {
                reminder_after: remind.and_then(days),
                escalate_after: escalate.and_then(days),
                ..thresholds()
            };
            let starts = latest_starts(thresholds, &Calendar::default(), AS_OF);
            for silent in 0..40 {
                let since = days_ago(silent);
                let reminded = evaluated(silence(silent, Some(silent)), thresholds).action;
                let not_reminded = evaluated(silence(silent, None), thresholds).action;
                let calls_for_any = reminded != Action::None || not_reminded != Action::None;
                assert_eq!(starts.any.is_some_and(|start| since <= start), calls_for_any, "{thresholds:?} {silent}");
                let calls_for_more = !matches!(reminded, Action::None | Action::Remind);
                assert_eq!(
                    starts.beyond_reminder.is_some_and(|start| since <= start),
                    calls_for_more,
                    "{thresholds:?} {silent}"
                );
            }
        }
    }

    #[test]
    fn every_action_is_found_by_its_name() {
        for action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(action));
        }
    }

    /// At hour 9, of a reminder that was scheduled for hour 1 and, if it was, sent at hour 3.
    fn dispatched(is_mentor_unreachable: bool, status: &str, skip_reason: Option<&str>) -> Option<i32> {
        let sent_at = (status == "sent").then_some(3);
        let reminder = MentorsReminder { status, skip_reason, sent_at, scheduled_for: 1 };
        dispatched_at(is_mentor_unreachable, Some(reminder), 9)
    }

    #[test]
    fn a_reminder_counts_as_dispatched_when_it_was_sent_or_given_up() {
        for is_unreachable in [false, true] {
            assert_eq!(dispatched(is_unreachable, "sent", None), Some(3));
            assert_eq!(dispatched(is_unreachable, "failed", None), Some(1));
            for reason in ["no_mentor", "no_address", "opted_out", "muted"] {
                assert_eq!(dispatched(is_unreachable, "skipped", Some(reason)), Some(1));
            }
        }
        let early = MentorsReminder { status: "sent", skip_reason: None, sent_at: Some(0), scheduled_for: 1 };
        assert_eq!(dispatched_at(false, Some(early), 9), Some(1), "sent by a clock that was behind");
    }

    #[test]
    fn a_reminder_that_waits_for_a_worker_is_not_dispatched() {
        assert_eq!(dispatched(false, "pending", None), None);
        assert_eq!(dispatched(true, "pending", None), None, "the worker will find out");
        assert_eq!(dispatched(false, "skipped", Some("contacted")), None);
        assert_eq!(dispatched_at(false, None, 9), None);
    }

    #[test]
    fn a_mentor_who_cannot_be_written_to_counts_as_reminded_at_once() {
        assert_eq!(dispatched_at(true, None, 9), Some(9));
        assert_eq!(dispatched(true, "skipped", Some("contacted")), Some(9));
    }

    #[test]
    fn actions_have_the_names_that_sql_shows() {
        assert_eq!([Action::None, Action::Remind, Action::Escalate].map(Action::name), ["none", "remind", "escalate"]);
    }
}
