//! When a pg_cron schedule is due. pg_cron runs the jobs; this only tells whether one should have run by now.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// A schedule of whole minutes, in pg_cron's own time zone. Where it names both days of the month and days of the week, only
/// days that are both count: pg_cron runs on either by default, and a job must not be said to be late that need not have run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: Field,
    hours: Field,
    days: Field,
    /// pg_cron's own $: the last day of the month.
    is_on_last_day: bool,
    months: Field,
    weekdays: Field,
    /// Whether it names both days of the month and days of the week, also if all of them.
    names_both: bool,
}

/// The values of a field: bit n stands for n.
type Field = u64;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Eight years have a 29th of February, also around 2100.
const SEARCHED_DAYS: u64 = 8 * 366 + 1;

impl Schedule {
    /// `None` where it has no moments that could be foretold (@reboot), or is none that pg_cron takes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some((number, unit)) = text.split_once(' ')
            && matches!(unit.trim(), "second" | "seconds")
        {
            // Under a minute, so due in each.
            return matches!(number.parse(), Ok(1..=59u32)).then(|| Self::of("* * * * *")).flatten();
        }
        match text.strip_prefix('@') {
            None => Self::of(&text),
            Some("hourly") => Self::of("0 * * * *"),
            Some("daily" | "midnight") => Self::of("0 0 * * *"),
            Some("weekly") => Self::of("0 0 * * 0"),
            Some("monthly") => Self::of("0 0 1 * *"),
            Some("yearly" | "annually") => Self::of("0 0 1 1 *"),
            Some(_) => None,
        }
    }

    fn of(fields: &str) -> Option<Self> {
        let mut fields = fields.split_ascii_whitespace();
        let minutes = field(fields.next()?, 0, 59, &[])?;
        let hours = field(fields.next()?, 0, 23, &[])?;
        let (days, months, weekdays) = (fields.next()?, fields.next()?, fields.next()?);
        let names_both = !days.starts_with('*') && !weekdays.starts_with('*');
        let is_on_last_day = days == "$";
        let days = if is_on_last_day { 0 } else { field(days, 1, 31, &[])? };
        let months = field(months, 1, 12, &MONTHS)?;
        let weekdays = field(weekdays, 0, 7, &WEEKDAYS)?;
        // Sunday is 0 and 7.
        let weekdays = if has(weekdays, 7) { weekdays | 1 } else { weekdays };
        Some(Self { minutes, hours, days, is_on_last_day, months, weekdays, names_both })
    }

    /// Whether pg_cron runs it at no other moments than those that `next_after` tells.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        !self.names_both
    }

    /// The first moment after this one at which the job is due. `None` where there is none in years.
    #[must_use]
    pub fn next_after(&self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        (0..=SEARCHED_DAYS).find_map(|later| {
            let day = moment.date().checked_add_days(Days::new(later))?;
            if !self.is_on(day) {
                return None;
            }
            (0..24).filter(|&hour| has(self.hours, hour)).find_map(|hour| {
                (0..60).filter(|&minute| has(self.minutes, minute)).find_map(|minute| {
                    let due = day.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?);
                    (due > moment).then_some(due)
                })
            })
        })
    }

    fn is_on(&self, day: NaiveDate) -> bool {
        let is_last = || day.succ_opt().is_none_or(|next| next.day() == 1);
        has(self.months, day.month())
            && has(self.weekdays, day.weekday().num_days_from_sunday())
            && (has(self.days, day.day()) || self.is_on_last_day && is_last())
    }
}

fn has(field: Field, value: u32) -> bool {
    field >> value & 1 == 1
}

/// A list of numbers, ranges and steps, such as `1-5,30` and `*/15`; months and weekdays also have names, which count
/// from the lowest value.
fn field(text: &str, lowest: u32, highest: u32, names: &[&str]) -> Option<Field> {
    let number = |text: &str| {
        let by_name = names.iter().zip(lowest..).find(|(name, _)| **name == text).map(|(_, number)| number);
        by_name.or_else(|| text.parse().ok()).filter(|number| (lowest..=highest).contains(number))
    };
    text.split(',').try_fold(0, |values, part| {
        let (range, step) = part.split_once('/').map_or((part, Some(1)), |(range, step)| (range, step.parse().ok()));
        let (first, last) = match (range, range.split_once('-')) {
            ("*", _) => (lowest, highest),
            (_, Some((first, last))) => (number(first)?, number(last)?),
            (_, None) if part == range => (number(range)?, number(range)?),
            (_, None) => return None,
        };
        let step = step.filter(|&step| step > 0)?;
        Some((first..=last).step_by(step).fold(values, |values, value| values | 1 << value))
    })
}

/// The minute that a moment lies in.
#[must_use]
pub fn minute_of(moment: NaiveDateTime) -> NaiveDateTime {
    moment.with_second(0).and_then(|moment| moment.with_nanosecond(0)).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a moment")
    }

    fn next(schedule: &str, after: &str) -> Option<String> {
        let schedule = Schedule::parse(schedule).unwrap_or_else(|| panic!("{schedule}"));
        schedule.next_after(at(after)).map(|due| due.format("%Y-%m-%d %H:%M").to_string())
    }

    #[test]
    fn a_schedule_is_due_at_its_next_moment_and_not_at_the_one_that_has_come() {
        for (schedule, after, due) in [
            ("* * * * *", "2026-11-25 10:00:00", "2026-11-25 10:01"),
            ("* * * * *", "2026-11-25 10:00:30", "2026-11-25 10:01"),
            ("* * * * *", "2026-12-31 23:59:59", "2027-01-01 00:00"),
            ("*/15 * * * *", "2026-11-25 10:00:01", "2026-11-25 10:15"),
            ("0 6 * * *", "2026-11-25 06:00:00", "2026-11-26 06:00"),
            ("0 6 * * *", "2026-11-25 05:59:59", "2026-11-25 06:00"),
            ("30 1-3,22 * * *", "2026-11-25 03:30:00", "2026-11-25 22:30"),
            ("10-50/20 * * * *", "2026-11-25 10:11:00", "2026-11-25 10:30"),
            ("0 0 29 2 *", "2026-11-25 00:00:00", "2028-02-29 00:00"),
            ("0 12 $ * *", "2027-02-27 00:00:00", "2027-02-28 12:00"),
            ("0 6 * * mon-fri", "2026-11-27 07:00:00", "2026-11-30 06:00"),
            ("0 6 * * 7", "2026-11-25 00:00:00", "2026-11-29 06:00"),
            ("0 6 * * sun", "2026-11-25 00:00:00", "2026-11-29 06:00"),
            ("0 6 * JAN *", "2026-11-25 00:00:00", "2027-01-01 06:00"),
            ("30 seconds", "2026-11-25 10:00:01", "2026-11-25 10:01"),
            ("@hourly", "2026-11-25 10:00:01", "2026-11-25 11:00"),
            ("@daily", "2026-11-25 10:00:01", "2026-11-26 00:00"),
            ("@weekly", "2026-11-25 10:00:01", "2026-11-29 00:00"),
            ("@monthly", "2026-11-25 10:00:01", "2026-12-01 00:00"),
            ("@yearly", "2026-11-25 10:00:01", "2027-01-01 00:00"),
        ] {
            assert_eq!(next(schedule, after).as_deref(), Some(due), "{schedule} after {after}");
        }
    }

    #[test]
    fn a_schedule_that_is_never_due_has_no_next_moment() {
        assert_eq!(next("0 0 31 2 *", "2026-11-25 00:00:00"), None);
        let last = Schedule::parse("* * * * *").expect("a schedule");
        assert_eq!(last.next_after(NaiveDateTime::MAX), None);
    }

    #[test]
    fn of_days_of_the_month_and_of_the_week_only_those_that_are_both_count() {
        assert_eq!(next("0 6 13 * fri", "2026-11-25 00:00:00").as_deref(), Some("2027-08-13 06:00"));
    }

    #[test]
    fn a_schedule_that_names_days_of_the_month_and_of_the_week_may_be_due_on_others() {
        for (schedule, is_exact) in [
            ("0 6 * * 1-5", true),
            ("0 6 1,15 * *", true),
            ("0 6 */2 * 1", true),
            ("30 seconds", true),
            ("@weekly", true),
            ("0 6 1 * 1", false),
            ("0 6 1-31 * 1", false),
            ("0 6 $ * 1", false),
        ] {
            assert_eq!(Schedule::parse(schedule).map(|schedule| schedule.is_exact()), Some(is_exact), "{schedule}");
        }
    }

    #[test]
    fn what_cannot_be_foretold_is_no_schedule() {
        for text in [
            "",
            "at dawn",
            "@reboot",
            "* * * *",
            "60 * * * *",
            "5/20 * * * *",
            "*/0 * * * *",
            "61 seconds",
            "0 0 0 * *",
            "0 0 * 13 *",
            "0 0 * * 8",
            "-1 * * * *",
            "1- * * * *",
            ", * * * *",
        ] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
