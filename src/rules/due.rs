//! Due dates: when a student is reminded of one, and what such a reminder is called.

use chrono::{DateTime, TimeDelta, Utc};

/// The units in which `due_assignments` is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Minutes,
    Hours,
    Days,
}

impl Unit {
    /// The unit of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "minutes" => Some(Self::Minutes),
            "hours" => Some(Self::Hours),
            "days" => Some(Self::Days),
            _ => None,
        }
    }

    #[must_use]
    pub const fn minutes(self) -> i32 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
            Self::Days => 24 * 60,
        }
    }

    /// The letter that ends a reminder type.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
        }
    }
}

/// The type of the reminder that is sent this long before a due date: 2d, 24h, 90m, 30s. Days only where the offset is
/// given in days, so that 24 hours are 24h, as the due-date worker's contract has it. `None` where no reminder can be: an
/// offset that is not positive, or beyond counting.
#[must_use]
pub fn reminder_type(days: i64, rest: TimeDelta) -> Option<String> {
    let total = TimeDelta::try_days(days)?.checked_add(&rest)?;
    if total <= TimeDelta::zero() {
        return None;
    }
    let (seconds, fraction) = (total.num_seconds(), total.subsec_nanos());
    Some(match (rest.is_zero(), seconds % 3600, seconds % 60, fraction) {
        (true, ..) => format!("{days}d"),
        (_, 0, _, 0) => format!("{}h", seconds / 3600),
        (_, _, 0, 0) => format!("{}m", seconds / 60),
        (_, _, _, 0) => format!("{seconds}s"),
        _ => format!("{seconds}.{fraction:09}s"),
    })
}

/// Whether it is what `reminder_type` calls a reminder.
#[must_use]
pub fn is_reminder_type(name: &str) -> bool {
    let number = name.strip_suffix(['d', 'h', 'm', 's']).unwrap_or_default();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    [whole, fraction].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// All that a reminder of this offset is called, in whatever units it was given: 24h and 1d are one. `None`: as for `reminder_type`.
#[must_use]
pub fn reminder_types(days: i64, rest: TimeDelta) -> Option<Vec<String>> {
    let given = reminder_type(days, rest)?;
    let total = TimeDelta::try_days(days)?.checked_add(&rest)?;
    let exact = reminder_type(0, total);
    let whole_days =
        (total == TimeDelta::days(total.num_days())).then(|| reminder_type(total.num_days(), TimeDelta::zero()));
    let others = exact.into_iter().chain(whole_days.flatten());
    let others: Vec<String> = others.filter(|other| *other != given).collect();
    Some([given].into_iter().chain(others).collect())
}

/// Whether a due date that moved from one of these to the other is the same one: what moves by less than a minute is no news to anybody.
#[must_use]
pub fn is_same_due_date(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    (one - other).abs() < TimeDelta::minutes(1)
}

/// A span of due dates, both ends included, around a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// The due dates that lie `target` units after `as_of`, give or take `tolerance` minutes. `None` beyond the calendar.
#[must_use]
pub fn window(unit: Unit, target: i32, tolerance: i32, as_of: DateTime<Utc>) -> Option<Window> {
    let ahead = TimeDelta::minutes(i64::from(unit.minutes()) * i64::from(target));
    let tolerance = TimeDelta::minutes(tolerance.into());
    Some(Window {
        from: as_of.checked_add_signed(ahead)?.checked_sub_signed(tolerance)?,
        to: as_of.checked_add_signed(ahead)?.checked_add_signed(tolerance)?,
    })
}

/// An assignment's due date, and one of its organization's offsets.
#[derive(Clone, Copy, Debug)]
pub struct DueOffset {
    pub due_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub offset: TimeDelta,
    pub longest_offset: TimeDelta,
}

/// Whether the reminder of this offset is enqueued: the time of the first of them has come, the due date has not. One whose
/// own time had passed when the assignment was created is not caught up on.
#[must_use]
pub fn is_to_enqueue(due: DueOffset, as_of: DateTime<Utc>) -> bool {
    let before = |offset| due.due_at.checked_sub_signed(offset);
    let has_begun = before(due.longest_offset).is_none_or(|first| first <= as_of);
    let was_late = due.created_at <= as_of && before(due.offset).is_none_or(|own| due.created_at > own);
    due.due_at > as_of && has_begun && !was_late
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(days: i64, seconds: i64) -> Option<String> {
        reminder_type(days, TimeDelta::seconds(seconds))
    }

    #[test]
    fn offsets_are_named_in_the_largest_unit_that_they_were_given_in() {
        assert_eq!(named(0, 24 * 3600).as_deref(), Some("24h"));
        assert_eq!(named(0, 2 * 3600).as_deref(), Some("2h"));
        assert_eq!(named(2, 0).as_deref(), Some("2d"));
        assert_eq!(named(0, 120).as_deref(), Some("2m"));
        assert_eq!(named(0, 90 * 60).as_deref(), Some("90m"));
        assert_eq!(named(1, 2 * 3600).as_deref(), Some("26h"));
        assert_eq!(named(0, 30).as_deref(), Some("30s"));
        assert_eq!(named(1, -3600).as_deref(), Some("23h"));
        assert_eq!(reminder_type(0, TimeDelta::milliseconds(1500)).as_deref(), Some("1.500000000s"));
    }

    #[test]
    fn one_length_is_one_reminder_in_whatever_units_it_was_given() {
        let names = |days, hours| reminder_types(days, TimeDelta::hours(hours)).unwrap_or_default();
        assert_eq!(names(0, 24), ["24h", "1d"]);
        assert_eq!(names(1, 0), ["1d", "24h"]);
        assert_eq!(names(1, 24), ["48h", "2d"]);
        assert_eq!(names(0, 2), ["2h"]);
        assert_eq!(names(1, 2), ["26h"]);
        assert_eq!(reminder_types(0, TimeDelta::minutes(90)), Some(vec!["90m".to_string()]));
        assert_eq!(reminder_types(0, TimeDelta::zero()), None);
    }

    #[test]
    fn a_due_date_that_moves_by_less_than_a_minute_is_the_same() {
        let moved = |seconds| is_same_due_date(at(0), at(0) + TimeDelta::seconds(seconds));
        assert!(moved(0) && moved(59) && moved(-59));
        assert!(!moved(60) && !moved(-60));
    }

    #[test]
    fn a_name_of_an_offset_is_known_for_one() {
        for (days, seconds) in [(0, 24 * 3600), (2, 0), (0, 90 * 60), (1, 1)] {
            assert!(named(days, seconds).is_some_and(|name| is_reminder_type(&name)));
        }
        assert!(is_reminder_type("1.500000000s"));
        for none in ["", "h", "24", "24 h", "-2h", "1.h", ".5s", "1.2.3s", "welcome", "daily", "24hh", "٣h"] {
            assert!(!is_reminder_type(none), "{none}");
        }
    }

    #[test]
    fn what_is_no_offset_has_no_name() {
        assert_eq!(named(0, 0), None);
        assert_eq!(named(-1, 0), None);
        assert_eq!(named(0, -60), None);
        assert_eq!(named(i64::MAX, 1), None);
    }

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_341_600, 0).expect("a test's own moment") + TimeDelta::hours(hours)
    }

    /// Due at hour 100, created at hour 0 unless told otherwise, with offsets of 24 and 2 hours.
    fn is_enqueued(offset: i64, created_at: i64, as_of: i64) -> bool {
        let hours = TimeDelta::hours;
        let due =
            DueOffset { due_at: at(100), created_at: at(created_at), offset: hours(offset), longest_offset: hours(24) };
        is_to_enqueue(due, at(as_of))
    }

    #[test]
    fn all_offsets_are_enqueued_from_the_time_of_the_first_until_the_due_date() {
        for offset in [24, 2] {
            assert!(!is_enqueued(offset, 0, 75), "not yet");
            assert!(is_enqueued(offset, 0, 76), "the boundary");
            assert!(is_enqueued(offset, 0, 99), "late, but not too late");
            assert!(!is_enqueued(offset, 0, 100), "due");
        }
    }

    #[test]
    fn an_offset_whose_time_had_passed_when_the_assignment_was_created_is_not_enqueued() {
        assert!(!is_enqueued(24, 80, 80));
        assert!(is_enqueued(2, 80, 80));
        assert!(is_enqueued(24, 76, 80), "created at its very time");
        assert!(is_enqueued(24, 90, 80), "a simulated moment before the creation: as it will be");
    }

    #[test]
    fn offsets_beyond_the_calendar_are_no_fault() {
        let due = DueOffset {
            due_at: DateTime::<Utc>::MIN_UTC,
            created_at: at(0),
            offset: TimeDelta::MAX,
            longest_offset: TimeDelta::MAX,
        };
        assert!(!is_to_enqueue(due, at(0)));
    }

    #[test]
    fn a_window_lies_around_its_target() {
        let window_of = |unit, target| window(unit, target, 1, at(0));
        let minute = TimeDelta::minutes(1);
        assert_eq!(window_of(Unit::Hours, 2), Some(Window { from: at(2) - minute, to: at(2) + minute }));
        assert_eq!(window_of(Unit::Days, 1), window_of(Unit::Hours, 24));
        assert_eq!(window_of(Unit::Minutes, 120), window_of(Unit::Hours, 2));
        assert_eq!(window_of(Unit::Days, i32::MAX), None);
    }

    #[test]
    fn units_have_the_names_of_the_workers_contract() {
        let units: Vec<_> = ["minutes", "hours", "days"].map(Unit::named).into_iter().flatten().collect();
        assert_eq!(
            units.iter().map(|unit| (unit.minutes(), unit.letter())).collect::<Vec<_>>(),
            [(1, 'm'), (60, 'h'), (1440, 'd')]
        );
        assert_eq!(Unit::named("Minutes"), None);
        assert_eq!(Unit::named("weeks"), None);
    }
}
