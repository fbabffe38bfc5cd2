//! Follow-ups: when a silent assignment's mentor is reminded, and when the coordinator is told.
//!
//! ```text
//!            reminder_after_days               escalate_after_days, and reminded
//!   silent ----------------------> remind ------------------------------------> escalate
//!     ^                               |                                             |
//!     +------------- contact --------+------------------- contact -----------------+
//! ```

use std::fmt;

use chrono::NaiveDate;

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

/// When an organisation acts. `None` switches the action off.
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
    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Remind => "remind",
            Self::Escalate => "escalate",
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
    fn actions_have_the_names_that_sql_shows() {
        assert_eq!([Action::None, Action::Remind, Action::Escalate].map(Action::name), ["none", "remind", "escalate"]);
    }
}
