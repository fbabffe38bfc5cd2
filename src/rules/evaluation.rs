//! Evaluations: when an organization's turn has come in a run, and when what it would send is held for somebody to look at first.

use chrono::{DateTime, TimeDelta, Utc};

/// Runs that are this far apart are daily: no later one comes on the same day. Less than a day, since a change of clocks, and a busy
/// scheduler, may bring two closer.
const DAILY: TimeDelta = TimeDelta::hours(22);

/// The moments of an organization's evaluation hour around now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// On its local day.
    pub today: DateTime<Utc>,
    /// On the day before.
    pub yesterday: DateTime<Utc>,
}

/// What decides whether a run evaluates an organization.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub now: DateTime<Utc>,
    /// `None`: every run.
    pub hour: Option<Hour>,
    /// Its last evaluation, or its creation if there was none.
    pub evaluated_at: DateTime<Utc>,
    /// The run before, whether or not it was evaluated in it.
    pub considered_at: Option<DateTime<Utc>>,
    /// What was held has been released.
    pub is_released: bool,
}

/// Whether it is evaluated: once its hour has passed on its local day, or has come since its last evaluation. So it is where runs are daily,
/// whose next one may be too late: between two, no hour may have come where clocks were put back.
#[must_use]
pub fn is_due(turn: Turn) -> bool {
    let Some(hour) = turn.hour else { return true };
    turn.is_released
        || turn.now >= hour.today
        || hour.yesterday > turn.evaluated_at
        || turn.considered_at.is_some_and(|run| turn.now - run >= DAILY)
}

/// Whether a run holds what it would send for an organization: more follow-ups than its limit are a backlog, which an earlier run would have
/// sent had settings and data been these. `None`: no limit.
#[must_use]
pub fn is_held(backlog: i64, limit: Option<i32>, is_released: bool) -> bool {
    !is_released && limit.is_some_and(|limit| backlog > i64::from(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day in UTC; the hour is 7.
    fn at(day: i64, hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(day) + TimeDelta::hours(hour)
    }

    fn turn(now: DateTime<Utc>, evaluated_at: DateTime<Utc>) -> Turn {
        let midnight = DateTime::UNIX_EPOCH + TimeDelta::days((now - DateTime::UNIX_EPOCH).num_days());
        let today = midnight + TimeDelta::hours(7);
        let hour = Some(Hour { today, yesterday: today - TimeDelta::days(1) });
        Turn { now, hour, evaluated_at, considered_at: Some(now - TimeDelta::hours(1)), is_released: false }
    }

    #[test]
    fn an_organization_is_evaluated_from_its_hour_on_and_not_before() {
        let yesterday = at(9, 23);
        assert!(!is_due(turn(at(10, 6), yesterday)));
        for hour in 7..24 {
            assert!(is_due(turn(at(10, hour), yesterday)), "{hour}");
            assert!(is_due(turn(at(10, hour), at(10, 7))), "{hour}: what became due meanwhile");
        }
    }

    #[test]
    fn an_hour_that_came_while_nothing_ran_is_made_up_for() {
        assert!(is_due(turn(at(10, 2), at(9, 6))));
        assert!(!is_due(turn(at(10, 2), at(9, 7))), "that was it");
    }

    #[test]
    fn with_one_run_a_day_nobody_is_left_out() {
        // Yesterday's run came with the hour; today's, after clocks were put back, an hour before it.
        let daily = Turn { considered_at: Some(at(9, 7)), ..turn(at(10, 6), at(9, 7)) };
        assert!(is_due(daily));
        assert!(!is_due(Turn { considered_at: Some(at(10, 5)), ..daily }), "a later run will come");
        assert!(!is_due(Turn { considered_at: None, ..daily }), "no run before");
    }

    #[test]
    fn without_an_hour_or_with_a_release_every_run_evaluates() {
        let early = turn(at(10, 2), at(9, 23));
        assert!(!is_due(early));
        assert!(is_due(Turn { hour: None, ..early }));
        assert!(is_due(Turn { is_released: true, ..early }));
    }

    #[test]
    fn a_backlog_above_the_limit_is_held_until_it_is_released() {
        assert!(!is_held(100, Some(100), false));
        assert!(is_held(101, Some(100), false));
        assert!(is_held(1, Some(0), false));
        assert!(!is_held(101, Some(100), true));
        assert!(!is_held(i64::MAX, None, false));
    }
}
