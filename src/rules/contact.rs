//! Contact: how long an assignment has been silent.

use chrono::NaiveDate;

/// Whole days from the last contact to `as_of`; negative when the contact lies ahead, `None` when there never was one.
///
/// chrono's dates span 524,000 years, less than 2^28 days, so the difference always fits.
#[must_use]
pub fn days_since_last_contact(last_contact: Option<NaiveDate>, as_of: NaiveDate) -> Option<i32> {
    last_contact.map(|date| days_between(date, as_of))
}

/// The day since which an assignment is silent: its last contact, but not before it was assigned.
#[must_use]
pub fn silent_since(last_contact: Option<NaiveDate>, assigned_on: NaiveDate) -> NaiveDate {
    last_contact.map_or(assigned_on, |date| date.max(assigned_on))
}

pub(super) fn days_between(from: NaiveDate, to: NaiveDate) -> i32 {
    use chrono::Datelike;
    to.num_days_from_ce() - from.num_days_from_ce()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).expect("a test's own date")
    }

    #[test]
    fn the_day_of_contact_is_day_zero() {
        assert_eq!(days_since_last_contact(Some(day(2026, 11, 22)), day(2026, 11, 22)), Some(0));
    }

    #[test]
    fn days_are_calendar_days() {
        assert_eq!(days_since_last_contact(Some(day(2026, 11, 1)), day(2026, 11, 22)), Some(21));
    }

    #[test]
    fn without_contact_there_is_no_number_of_days() {
        assert_eq!(days_since_last_contact(None, day(2026, 11, 22)), None);
    }

    #[test]
    fn a_contact_ahead_counts_negative() {
        assert_eq!(days_since_last_contact(Some(day(2026, 11, 23)), day(2026, 11, 22)), Some(-1));
    }

    #[test]
    fn leap_days_count() {
        assert_eq!(days_since_last_contact(Some(day(2028, 2, 28)), day(2028, 3, 1)), Some(2));
        assert_eq!(days_since_last_contact(Some(day(2027, 2, 28)), day(2027, 3, 1)), Some(1));
        assert_eq!(days_since_last_contact(Some(day(2100, 2, 28)), day(2100, 3, 1)), Some(1), "2100 is no leap year");
        assert_eq!(days_since_last_contact(Some(day(2000, 2, 28)), day(2000, 3, 1)), Some(2), "2000 is one");
    }

    #[test]
    fn the_widest_span_of_the_calendar_does_not_overflow() {
        let days = days_since_last_contact(Some(NaiveDate::MIN), NaiveDate::MAX);
        assert_eq!(days, Some(191_491_528));
        assert_eq!(days_since_last_contact(Some(NaiveDate::MAX), NaiveDate::MIN), days.map(|d| -d));
    }

    #[test]
    fn an_assignment_is_silent_since_its_last_contact_but_not_before_it_was_assigned() {
        assert_eq!(silent_since(None, day(2026, 9, 1)), day(2026, 9, 1));
        assert_eq!(silent_since(Some(day(2026, 10, 1)), day(2026, 9, 1)), day(2026, 10, 1));
        assert_eq!(silent_since(Some(day(2026, 8, 1)), day(2026, 9, 1)), day(2026, 9, 1), "an old call, entered late");
    }
}
