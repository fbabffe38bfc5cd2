//! Evaluations: when an organization's turn has come in a run, and when what it would send is held for somebody to look at first.

use chrono::{DateTime, TimeDelta, Utc};

/// Runs are daily where there was but one in this time: the last one, or one that somebody made by hand. Less than a day, since a change of clocks, and
/// a busy scheduler, may bring two closer.
const A_DAY: TimeDelta = TimeDelta::hours(22);

/// And not where it was as close as this: runs have just begun again after an outage.
const A_WHILE: TimeDelta = TimeDelta::hours(3);

/// The moments of an organization's evaluation hour around now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// On its local day.
    pub today: DateTime<Utc>,
    /// On the day before.
    pub yesterday: DateTime<Utc>,
}

/// What decides whether it is an organization's turn in a run.
#[derive(Clone, Debug)]
pub struct Turn {
    pub now: DateTime<Utc>,
    /// `None`: every run.
    pub hour: Option<Hour>,
    /// When it was last its turn, or its creation if it never was.
    pub last_at: DateTime<Utc>,
    /// The last two runs, of whomever, the later one first. Fewer where there were not as many.
    pub last_runs: Vec<DateTime<Utc>>,
    /// What was held has been released.
    pub is_released: bool,
}

/// Whether it is its turn: once its hour has passed on its local day, or has come since its last turn. So it is where runs are daily, whose next
/// one may be too late: between two, no hour may have come where clocks were put back, or where somebody made one beside them.
#[must_use]
pub fn is_due(turn: &Turn) -> bool {
    let Some(hour) = turn.hour else { return true };
    turn.is_released || turn.now >= hour.today || hour.yesterday > turn.last_at || is_daily(turn)
}

fn is_daily(turn: &Turn) -> bool {
    matches!(turn.last_runs[..], [last, before, ..] if turn.now - last >= A_WHILE && turn.now - before >= A_DAY)
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

    fn turn(now: DateTime<Utc>, last_at: DateTime<Utc>) -> Turn {
        let midnight = DateTime::UNIX_EPOCH + TimeDelta::days((now - DateTime::UNIX_EPOCH).num_days());
        let today = midnight + TimeDelta::hours(7);
        let hour = Some(Hour { today, yesterday: today - TimeDelta::days(1) });
        Turn {
            now,
            hour,
            last_at,
            last_runs: vec![now - TimeDelta::hours(1), now - TimeDelta::hours(2)],
            is_released: false,
        }
    }

    #[test]
    fn it_is_an_organizations_turn_from_its_hour_on_and_not_before() {
        let yesterday = at(9, 23);
        assert!(!is_due(&turn(at(10, 6), yesterday)));
        for hour in 7..24 {
            assert!(is_due(&turn(at(10, hour), yesterday)), "{hour}");
            assert!(is_due(&turn(at(10, hour), at(10, 7))), "{hour}: what became due meanwhile");
        }
    }

    #[test]
    fn an_hour_that_came_while_nothing_ran_is_made_up_for() {
        assert!(is_due(&turn(at(10, 2), at(9, 6))));
        assert!(!is_due(&turn(at(10, 2), at(9, 7))), "that was it");
    }

    #[test]
    fn with_one_run_a_day_nobody_is_left_out_also_after_one_that_was_made_by_hand() {
        // Yesterday's run came with the hour; today's, after clocks were put back, an hour before it.
        let daily = Turn { last_runs: vec![at(9, 7), at(8, 7)], ..turn(at(10, 6), at(9, 7)) };
        let with = |last_runs| Turn { last_runs, ..daily.clone() };
        assert!(is_due(&daily));
        assert!(is_due(&Turn { last_at: at(9, 15), ..with(vec![at(9, 15), at(9, 6)]) }), "another at 15 yesterday");
        assert!(!is_due(&with(vec![at(10, 1), at(9, 20)])), "a later run will come");
        assert!(!is_due(&with(vec![at(10, 5), at(8, 23)])), "hourly runs have just begun again");
        assert!(!is_due(&with(vec![at(9, 6)])) && !is_due(&with(vec![])), "nothing is known of runs");
    }

    #[test]
    fn without_an_hour_or_with_a_release_it_is_its_turn_in_every_run() {
        let early = turn(at(10, 2), at(9, 23));
        assert!(!is_due(&early));
        assert!(is_due(&Turn { hour: None, ..early.clone() }));
        assert!(is_due(&Turn { is_released: true, ..early.clone() }));
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
