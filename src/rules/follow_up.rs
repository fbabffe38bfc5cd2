//! Follow-ups: when a silent assignment's mentor is reminded, and when the coordinator is told.
//!
//! ```text
//!            reminder_after_days               escalate_after_days, and reminded
//!   silent ----------------------> remind ------------------------------------> escalate
//!     ^                               |                                             |
//!     +------------- contact --------+------------------- contact -----------------+
//! ```

use std::fmt;

use chrono::{Days as CalendarDays, NaiveDate};

use super::contact::{days_between, silent_since};

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
}

/// A threshold: a number of days that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(i32);

/// A threshold below zero, which no silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegativeThreshold(pub i32);

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

/// Whether silence has reached the threshold although a reminder was sent in this silence.
#[must_use]
pub fn is_escalation_due(days: Option<i32>, threshold: Option<Days>, was_reminded: bool) -> bool {
    was_reminded && is_reminder_due(days, threshold)
}

/// The latest day on which a silence may have begun that reaches the threshold on `as_of`. `None` without a threshold, or
/// where no silence is long enough: before the calendar begins.
fn latest_start(threshold: Option<Days>, as_of: NaiveDate) -> Option<NaiveDate> {
    let Days(days) = threshold?;
    as_of.checked_sub_days(CalendarDays::new(days.unsigned_abs().into()))
}

/// The latest starts of the silences that a run must look at: a silence that began later calls for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestStarts {
    /// Of those that call for anything.
    pub any: Option<NaiveDate>,
    /// Of those that call for more than the mentor's reminder.
    pub beyond_reminder: Option<NaiveDate>,
}

/// The latest starts of the silences that reach these thresholds on `as_of`.
#[must_use]
pub fn latest_starts(thresholds: Thresholds, as_of: NaiveDate) -> LatestStarts {
    let start = |action| latest_start(thresholds.of(action), as_of);
    LatestStarts {
        any: Action::ALL.into_iter().filter_map(start).max(),
        beyond_reminder: Action::ALL.into_iter().filter(|&action| action != Action::Remind).filter_map(start).max(),
    }
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
/// still has it and will find out. `reminder` is the one of this silence, if there is one.
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
        ("sent" | "failed", _) | ("skipped", Some("no_mentor" | "no_address" | "opted_out")) => {
            Some(reminder.sent_at.map_or(reminder.scheduled_for, |sent_at| sent_at.max(reminder.scheduled_for)))
        }
        _ => unreachable_now,
    }
}

/// What an open assignment calls for on `as_of`. Escalation wins over reminding. A reminder counts from the day the
/// silence began: one sent before it belongs to an earlier silence.
#[must_use]
pub fn evaluate(
    last_contact: Option<NaiveDate>,
    assigned_on: NaiveDate,
    last_reminder_sent_on: Option<NaiveDate>,
    thresholds: Thresholds,
    as_of: NaiveDate,
) -> Evaluation {
    let since = silent_since(last_contact, assigned_on);
    let days_since = days_between(since, as_of);
    let was_reminded = last_reminder_sent_on.is_some_and(|sent_on| sent_on >= since);
    let action = if is_escalation_due(Some(days_since), thresholds.escalate_after, was_reminded) {
        Action::Escalate
    } else if is_reminder_due(Some(days_since), thresholds.reminder_after) {
        Action::Remind
    } else {
        Action::None
    };
    Evaluation { action, days_since }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

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
        Thresholds { reminder_after: days(14), escalate_after: days(28) }
    }

    /// The action for an assignment contacted `silent` days ago whose reminder was sent `reminded` days ago.
    fn action(silent: i64, reminded: Option<i64>) -> Action {
        let sent_on = reminded.map(days_ago);
        evaluate(Some(days_ago(silent)), days_ago(400), sent_on, thresholds(), AS_OF).action
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
        assert!(!is_escalation_due(None, days(28), true));
        assert!(!is_escalation_due(Some(99), None, true));
    }

    #[test]
    fn an_escalation_is_due_from_the_boundary_day_on_once_reminded() {
        assert!(!is_escalation_due(Some(27), days(28), true));
        assert!(is_escalation_due(Some(28), days(28), true));
        assert!(is_escalation_due(Some(29), days(28), true));
        assert!(!is_escalation_due(Some(28), days(28), false));
        assert!(!is_escalation_due(Some(9999), days(28), false));
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
    fn an_assignment_never_contacted_is_silent_since_it_was_assigned() {
        let evaluation = evaluate(None, days_ago(14), None, thresholds(), AS_OF);
        assert_eq!(evaluation, Evaluation { action: Action::Remind, days_since: 14 });
        let evaluation = evaluate(None, days_ago(13), None, thresholds(), AS_OF);
        assert_eq!(evaluation, Evaluation { action: Action::None, days_since: 13 });
    }

    #[test]
    fn a_threshold_that_is_none_switches_its_action_off() {
        let remind_only = Thresholds { escalate_after: None, ..thresholds() };
        let evaluation = evaluate(Some(days_ago(99)), days_ago(400), Some(days_ago(80)), remind_only, AS_OF);
        assert_eq!(evaluation.action, Action::Remind);

        let escalate_only = Thresholds { reminder_after: None, ..thresholds() };
        let evaluation = evaluate(Some(days_ago(99)), days_ago(400), None, escalate_only, AS_OF);
        assert_eq!(evaluation.action, Action::None);
        let evaluation = evaluate(Some(days_ago(99)), days_ago(400), Some(days_ago(80)), escalate_only, AS_OF);
        assert_eq!(evaluation.action, Action::Escalate);
    }

    #[test]
    fn a_contact_ahead_of_as_of_calls_for_nothing() {
        let evaluation = evaluate(Some(days_ago(-3)), days_ago(400), None, thresholds(), AS_OF);
        assert_eq!(evaluation, Evaluation { action: Action::None, days_since: -3 });
    }

    #[test]
    fn the_ends_of_the_calendar_are_evaluated_without_overflow() {
        let evaluation = evaluate(Some(NaiveDate::MIN), AS_OF, Some(NaiveDate::MAX), thresholds(), NaiveDate::MAX);
        assert_eq!(evaluation.action, Action::Escalate);
        let evaluation = evaluate(Some(NaiveDate::MAX), AS_OF, None, thresholds(), NaiveDate::MIN);
        assert_eq!(evaluation.action, Action::None);
    }

    #[test]
    fn the_latest_start_of_a_silence_is_the_boundary_of_its_threshold() {
        for threshold in [0, 1, 14, 3650] {
            let start = latest_start(days(threshold), AS_OF).expect("within the calendar");
            assert!(is_reminder_due(Some(days_between(start, AS_OF)), days(threshold)));
            assert!(!is_reminder_due(Some(days_between(start + Duration::days(1), AS_OF)), days(threshold)));
        }
        assert_eq!(latest_start(None, AS_OF), None);
        assert_eq!(latest_start(days(i32::MAX), AS_OF), None);
        assert_eq!(latest_start(days(1), NaiveDate::MIN), None);
    }

    #[test]
    fn the_latest_starts_are_those_of_the_last_silences_that_call_for_something() {
        for (remind, escalate) in
            [(Some(14), Some(28)), (Some(28), Some(14)), (Some(7), None), (None, Some(7)), (None, None)]
        {
            let thresholds =
                Thresholds { reminder_after: remind.and_then(days), escalate_after: escalate.and_then(days) };
            let starts = latest_starts(thresholds, AS_OF);
            for silent in 0..40 {
                let since = days_ago(silent);
                let reminded = evaluate(Some(since), since, Some(since), thresholds, AS_OF).action;
                let not_reminded = evaluate(Some(since), since, None, thresholds, AS_OF).action;
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
            for reason in ["no_mentor", "no_address", "opted_out"] {
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
