//! Due dates: how long before one a student is reminded, and what such a reminder is called.

use chrono::TimeDelta;

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
    fn what_is_no_offset_has_no_name() {
        assert_eq!(named(0, 0), None);
        assert_eq!(named(-1, 0), None);
        assert_eq!(named(0, -60), None);
        assert_eq!(named(i64::MAX, 1), None);
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
