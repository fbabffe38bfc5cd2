//! Alerts: what the admins of an organization must see to, and are told of once for as long as it goes on.

use super::health::{Facts, Running};

/// So long without any message that was sent, while one is due, is too long.
pub const HOURS_WITHOUT_SENDING: i32 = 6;

/// What there is to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The organization's follow-ups are held.
    HeldRun,
    /// The last run failed.
    FailedRun,
    /// The last run took over 30 minutes, or one has run for longer.
    SlowRun,
    /// A run that was due was not made.
    MissingRun,
    /// Nothing of the organization's has been sent, although something is due.
    NothingSent,
}

impl Cause {
    /// The types of the notices.
    pub const TYPES: [&str; 5] = [
        Self::HeldRun.reminder_type(),
        Self::FailedRun.reminder_type(),
        Self::SlowRun.reminder_type(),
        Self::MissingRun.reminder_type(),
        Self::NothingSent.reminder_type(),
    ];

    /// The `reminder_type` of its notice.
    #[must_use]
    pub const fn reminder_type(self) -> &'static str {
        match self {
            Self::HeldRun => "held-run",
            Self::FailedRun => "failed-run",
            Self::SlowRun => "slow-run",
            Self::MissingRun => "missing-run",
            Self::NothingSent => "nothing-sent",
        }
    }
}

/// What is wrong with the runs, which are for all organizations.
#[must_use]
pub fn with_runs(facts: &Facts) -> Vec<Cause> {
    let last_run = facts.last_run.as_ref();
    let is_stuck = matches!(facts.running, Some(Running { is_stuck: Some(true), .. }));
    let causes = [
        (Cause::FailedRun, last_run.is_some_and(|run| run.failed_with.is_some())),
        (Cause::SlowRun, is_stuck || last_run.is_some_and(|run| run.took_too_long)),
        (Cause::MissingRun, facts.is_missing()),
    ];
    causes.into_iter().filter_map(|(cause, is_so)| is_so.then_some(cause)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::health::tests::{good_run, healthy};
    use super::super::health::{Facts, LastRun};
    use super::*;

    #[test]
    fn what_is_wrong_with_the_runs_is_told_and_nothing_else() {
        assert_eq!(with_runs(&healthy()), []);
        let failed = LastRun { failed_with: Some("out of memory".into()), ..good_run() };
        assert_eq!(with_runs(&Facts { last_run: Some(failed), ..healthy() }), [Cause::FailedRun]);
        let slow = LastRun { took_too_long: true, ..good_run() };
        assert_eq!(with_runs(&Facts { last_run: Some(slow), ..healthy() }), [Cause::SlowRun]);
        for (is_stuck, expected) in [(Some(true), vec![Cause::SlowRun]), (Some(false), vec![]), (None, vec![])] {
            assert_eq!(with_runs(&Facts { running: Some(Running { pid: 1, is_stuck }), ..healthy() }), expected);
        }
        assert_eq!(with_runs(&Facts { is_overdue: true, ..healthy() }), [Cause::MissingRun]);
        assert_eq!(with_runs(&Facts { is_overdue: true, has_missed_run: Some(false), ..healthy() }), []);
        assert_eq!(with_runs(&Facts { unheard_escalations: 1, ..healthy() }), []);
    }

    #[test]
    fn every_cause_has_a_type_of_its_own() {
        for reminder_type in Cause::TYPES {
            assert_eq!(Cause::TYPES.iter().filter(|other| **other == reminder_type).count(), 1);
        }
    }
}
