//! The calendar of an organization: which days count. A clock that does not run while nobody could have acted.

use chrono::{Datelike, Days as CalendarDays, NaiveDate, Weekday};

use super::contact::days_between;
use super::follow_up::Days;

/// Days from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// Weekdays that are off, each week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DaysOfWeek([bool; 7]);

/// A number that is no weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWeekday(pub i32);

/// The days that are off for everybody in an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    pub weekly: DaysOfWeek,
    pub off: Vec<Span>,
    /// No day before this one counts.
    pub from: Option<NaiveDate>,
}

impl DaysOfWeek {
    /// By the numbers of ISO 8601: 1 is Monday, 7 Sunday.
    pub fn of(numbers: &[i32]) -> Result<Self, UnknownWeekday> {
        let mut days = [false; 7];
        for &number in numbers {
            let day = usize::try_from(number).ok().and_then(|number| days.get_mut(number.checked_sub(1)?));
            *day.ok_or(UnknownWeekday(number))? = true;
        }
        Ok(Self(days))
    }

    /// Whether it is one of these.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0.get(day.num_days_from_monday() as usize).copied().unwrap_or(false)
    }

    /// How many of these days are in a span: whole weeks, and what remains.
    fn number_in(self, span: Span) -> i32 {
        let length = days_between(span.first, span.last) + 1;
        let per_week = self.0.iter().filter(|is_off| **is_off).map(|_| 1).sum::<i32>();
        let remaining = span.first.iter_days().take(usize::try_from(length % 7).unwrap_or(0));
        length / 7 * per_week + remaining.filter(|day| self.contains(day.weekday())).map(|_| 1).sum::<i32>()
    }
}

impl Calendar {
    /// Whether nobody is to be expected to act on this day.
    #[must_use]
    pub fn is_off(&self, day: NaiveDate) -> bool {
        self.weekly.contains(day.weekday())
            || self.from.is_some_and(|from| day < from)
            || self.off.iter().any(|span| span.contains(day))
    }

    /// The days after `since`, up to and with `as_of`, that count: those that are off do not, nor do those of `stopped`. Where `as_of` is
    /// before `since`, the days in between, negative. Without anything that is off they equal the days since.
    #[must_use]
    pub fn counted_days(&self, since: NaiveDate, as_of: NaiveDate, stopped: &[Span]) -> i32 {
        let days = days_between(since, as_of);
        let Some(first) = since.succ_opt().filter(|_| days > 0) else { return days };
        let whole = Span { first, last: as_of };
        let before = self.from.and_then(|from| from.pred_opt()).map(|last| Span { first: NaiveDate::MIN, last });
        let mut off: Vec<Span> =
            self.off.iter().chain(stopped).chain(&before).filter_map(|span| span.within(whole)).collect();
        off.sort_unstable();
        // What is off twice is taken off once.
        let mut counted = days - self.weekly.number_in(whole);
        let mut rest = Some(whole);
        for span in off {
            let Some(span) = rest.and_then(|rest| span.within(rest)) else { continue };
            counted -= days_between(span.first, span.last) + 1 - self.weekly.number_in(span);
            rest = span.last.succ_opt().map(|first| Span { first, last: as_of }).filter(|rest| rest.first <= rest.last);
        }
        counted
    }

    /// The latest day on which a silence may have begun that has reached the threshold on `as_of`. `None` where no silence is long enough:
    /// before the calendar begins.
    #[must_use]
    pub fn latest_start(&self, threshold: Days, as_of: NaiveDate) -> Option<NaiveDate> {
        let reaches = |start: NaiveDate| self.counted_days(start, as_of, &[]) >= threshold.number();
        let before = |days: i32| as_of.checked_sub_days(CalendarDays::new(days.unsigned_abs().into()));
        // Counted days only become more, the earlier a silence began.
        let (mut short, mut long) = (0, threshold.number().max(1));
        if reaches(as_of) {
            return Some(as_of);
        }
        while !reaches(before(long)?) {
            (short, long) = (long, long.checked_mul(2)?);
        }
        while long - short > 1 {
            let middle = short + (long - short) / 2;
            if reaches(before(middle)?) {
                long = middle;
            } else {
                short = middle;
            }
        }
        before(long)
    }

    /// The first day on which a silence that began on `since` has reached the threshold. `None` where it never does, in a hundred years.
    #[must_use]
    pub fn first_day_reaching(&self, since: NaiveDate, threshold: Days, stopped: &[Span]) -> Option<NaiveDate> {
        const NEVER: i32 = 36_525;
        let after = |days: i32| since.checked_add_days(CalendarDays::new(days.unsigned_abs().into()));
        let reaches = |day| self.counted_days(since, day, stopped) >= threshold.number();
        if reaches(since) {
            return Some(since);
        }
        let (mut short, mut long) = (0, threshold.number().max(1));
        while !reaches(after(long)?) {
            (short, long) = (long, long.checked_mul(2).filter(|_| long < NEVER)?);
        }
        while long - short > 1 {
            let middle = short + (long - short) / 2;
            if reaches(after(middle)?) {
                long = middle;
            } else {
                short = middle;
            }
        }
        after(long)
    }

    /// The first day from `from` on that is not off and none of `stopped`. `None` where there is none.
    #[must_use]
    pub fn first_day_on(&self, from: NaiveDate, stopped: &[Span]) -> Option<NaiveDate> {
        let mut day = from.max(self.from.unwrap_or(from));
        // Each span is left once, and between two of them lies at most a week that is off.
        let mut steps = 8 * (self.off.len() + stopped.len() + 1);
        while steps > 0 {
            if let Some(span) = self.off.iter().chain(stopped).find(|span| span.contains(day)) {
                day = span.last.succ_opt()?;
            } else if self.weekly.contains(day.weekday()) {
                day = day.succ_opt()?;
            } else {
                return Some(day);
            }
            steps -= 1;
        }
        None
    }
}

impl Span {
    /// Whether a day is one of these.
    #[must_use]
    pub fn contains(self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }

    /// What of it lies within another.
    fn within(self, other: Self) -> Option<Self> {
        let common = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        (common.first <= common.last).then_some(common)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::*;

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).expect("a test's own date")
    }

    fn span(first: NaiveDate, last: NaiveDate) -> Span {
        Span { first, last }
    }

    fn threshold(days: i32) -> Days {
        Days::try_from(days).expect("a test's own threshold")
    }

    fn weekends() -> Calendar {
        Calendar { weekly: DaysOfWeek::of(&[6, 7]).expect("a weekend"), ..Calendar::default() }
    }

    #[test]
    fn without_anything_off_counted_days_are_the_days_since() {
        let calendar = Calendar::default();
        for (since, days) in [(day(11, 1), 21), (day(11, 22), 0), (day(11, 25), -3), (NaiveDate::MIN, 96_485_400)] {
            let counted = calendar.counted_days(since, day(11, 22), &[]);
            assert_eq!(counted, days_between(since, day(11, 22)));
            assert!(since == NaiveDate::MIN || counted == days, "{since}");
        }
    }

    /// 2026-11-22 is a Sunday.
    #[test]
    fn weekends_and_holidays_do_not_count_and_what_is_off_twice_is_off_once() {
        let calendar =
            Calendar { off: vec![span(day(11, 11), day(11, 15)), span(day(11, 13), day(11, 17))], ..weekends() };
        assert_eq!(weekends().counted_days(day(11, 8), day(11, 22), &[]), 10);
        assert_eq!(calendar.counted_days(day(11, 8), day(11, 22), &[]), 5, "Monday, Tuesday; Wednesday to Friday");
        assert_eq!(calendar.counted_days(day(11, 8), day(11, 22), &[span(day(11, 9), day(11, 12))]), 3);
        assert!(calendar.is_off(day(11, 14)) && calendar.is_off(day(11, 16)) && !calendar.is_off(day(11, 18)));
    }

    #[test]
    fn days_before_the_programme_began_to_follow_up_do_not_count() {
        let calendar = Calendar { from: Some(day(11, 20)), ..Calendar::default() };
        assert_eq!(calendar.counted_days(day(1, 1), day(11, 22), &[]), 3, "from the 20th on");
        assert!(calendar.is_off(day(11, 19)) && !calendar.is_off(day(11, 20)));
        assert_eq!(calendar.latest_start(threshold(4), day(11, 22)), None, "however long it is silent");
    }

    #[test]
    fn a_weekday_is_a_number_from_1_to_7() {
        for number in [0, 8, -1, i32::MIN, i32::MAX] {
            assert_eq!(DaysOfWeek::of(&[1, number]), Err(UnknownWeekday(number)));
        }
        assert_eq!(DaysOfWeek::of(&[7, 7]), DaysOfWeek::of(&[7]));
    }

    #[test]
    fn what_never_comes_is_looked_for_in_vain() {
        let never = Calendar { weekly: DaysOfWeek::of(&[1, 2, 3, 4, 5, 6, 7]).expect("a week"), ..Calendar::default() };
        assert_eq!(never.first_day_reaching(day(11, 1), threshold(1), &[]), None);
        assert_eq!(never.first_day_on(day(11, 1), &[]), None);
        let for_good = [span(day(11, 2), NaiveDate::MAX)];
        assert_eq!(Calendar::default().first_day_reaching(day(11, 1), threshold(2), &for_good), None);
        assert_eq!(Calendar::default().first_day_reaching(day(11, 1), threshold(0), &for_good), Some(day(11, 1)));
        assert_eq!(Calendar::default().first_day_on(day(11, 2), &for_good), None);
        for since in [NaiveDate::MIN, NaiveDate::MAX] {
            assert_eq!(never.first_day_reaching(since, threshold(i32::MAX), &for_good), None);
        }
    }

    #[test]
    fn where_every_day_is_off_no_silence_is_ever_long_enough() {
        let never = Calendar { weekly: DaysOfWeek::of(&[1, 2, 3, 4, 5, 6, 7]).expect("a week"), ..Calendar::default() };
        assert_eq!(never.latest_start(threshold(1), day(11, 22)), None);
        assert_eq!(never.counted_days(NaiveDate::MIN, NaiveDate::MAX, &[]), 0);
        assert_eq!(Calendar::default().latest_start(threshold(i32::MAX), day(11, 22)), None);
        assert_eq!(Calendar::default().latest_start(threshold(1), NaiveDate::MIN), None);
        assert_eq!(Calendar::default().latest_start(threshold(0), day(11, 22)), Some(day(11, 22)));
    }

    /// Day by day, as somebody with a paper calendar would count.
    fn counted_on_paper(
        calendar: &Calendar,
        weekdays: &[i32],
        since: NaiveDate,
        as_of: NaiveDate,
        stopped: &[Span],
    ) -> i32 {
        let mut counted = 0;
        let mut today = since;
        while today < as_of {
            today += Duration::days(1);
            let is_weekly = weekdays.contains(&i32::try_from(today.weekday().number_from_monday()).expect("1 to 7"));
            let is_off = calendar.off.iter().chain(stopped).any(|span| span.first <= today && today <= span.last);
            if !is_weekly && !is_off && calendar.from.is_none_or(|from| from <= today) {
                counted += 1;
            }
        }
        counted
    }

    proptest! {
        #[test]
        fn counted_days_agree_with_counting_day_by_day(
            weekdays in proptest::collection::vec(1..=7i32, 0..4),
            off in proptest::collection::vec((0..200i64, 0..20i64), 0..8),
            stopped in proptest::collection::vec((0..200i64, 0..60i64), 0..4),
            from in proptest::option::of(0..200i64),
            since in 0..200i64,
            as_of in 0..200i64,
            days in 0..60i32,
        ) {
            let at = |days: i64| day(6, 1) + Duration::days(days);
            let spans = |spans: Vec<(i64, i64)>| -> Vec<Span> {
                spans.into_iter().map(|(first, length)| span(at(first), at(first + length))).collect()
            };
            let (off, stopped) = (spans(off), spans(stopped));
            let weekly = DaysOfWeek::of(&weekdays).expect("weekdays");
            let calendar = Calendar { weekly, off, from: from.map(at) };
            if since <= as_of {
                let counted = calendar.counted_days(at(since), at(as_of), &stopped);
                prop_assert_eq!(counted, counted_on_paper(&calendar, &weekdays, at(since), at(as_of), &stopped));
            }
            // The latest start is the last day from which that many are counted.
            match calendar.latest_start(threshold(days), at(as_of)) {
                Some(start) => {
                    prop_assert!(counted_on_paper(&calendar, &weekdays, start, at(as_of), &[]) >= days);
                    let later = counted_on_paper(&calendar, &weekdays, start + Duration::days(1), at(as_of), &[]);
                    prop_assert!(start >= at(as_of) || later < days);
                }
                None => prop_assert!(from.is_some_and(|_| counted_on_paper(&calendar, &weekdays, at(-400), at(as_of), &[]) < days)),
            }
            // And forwards: the first day on which that many are, and the first one that is neither off nor stopped.
            let days_from = |first: NaiveDate| first.iter_days().take(2_000);
            let reached = days_from(at(since))
                .find(|&today| counted_on_paper(&calendar, &weekdays, at(since), today, &stopped) >= days);
            prop_assert_eq!(calendar.first_day_reaching(at(since), threshold(days), &stopped), reached);
            let on = days_from(at(since))
                .find(|&today| !calendar.is_off(today) && !stopped.iter().any(|span| span.contains(today)));
            prop_assert_eq!(calendar.first_day_on(at(since), &stopped), on);
        }
    }
}
