//! Dates, times, zones, numbers and plurals, as people of a locale write them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeZone as _, Timelike, Utc};
use chrono_tz::Tz;
use icu::calendar::Iso;
use icu::datetime::fieldsets::{self, zone::GenericLong};
use icu::datetime::{DateTimeFormatter, DateTimeFormatterLoadError, NoCalendarFormatter};
use icu::decimal::DecimalFormatter;
use icu::locale::Locale;
use icu::plurals::{PluralCategory, PluralRules};
use icu::time::zone::{UtcOffset, ZoneNameTimestamp};
use icu::time::{DateTime as IcuDateTime, Time, TimeZone};

/// How one locale writes things.
pub struct Formats {
    /// "1. desember"
    day: DateTimeFormatter<fieldsets::MD>,
    /// "1. desember 2026"
    day_of_year: DateTimeFormatter<fieldsets::YMD>,
    /// "tirsdag 1. desember"
    weekday_and_day: DateTimeFormatter<fieldsets::MDE>,
    weekday_and_day_of_year: DateTimeFormatter<fieldsets::YMDE>,
    weekday: DateTimeFormatter<fieldsets::E>,
    /// "tirsdag 1. desember kl. 12.00"
    moment: DateTimeFormatter<fieldsets::MDET>,
    moment_of_year: DateTimeFormatter<fieldsets::YMDET>,
    time: NoCalendarFormatter<fieldsets::T>,
    zone: NoCalendarFormatter<GenericLong>,
    number: DecimalFormatter,
    plural: PluralRules,
    is_norwegian: bool,
}

impl Formats {
    pub fn new(locale: &Locale) -> Result<Self, DateTimeFormatterLoadError> {
        Ok(Self {
            day: DateTimeFormatter::try_new(locale.into(), fieldsets::MD::long())?,
            day_of_year: DateTimeFormatter::try_new(locale.into(), fieldsets::YMD::long())?,
            weekday_and_day: DateTimeFormatter::try_new(locale.into(), fieldsets::MDE::long())?,
            weekday_and_day_of_year: DateTimeFormatter::try_new(locale.into(), fieldsets::YMDE::long())?,
            weekday: DateTimeFormatter::try_new(locale.into(), fieldsets::E::long())?,
            moment: DateTimeFormatter::try_new(locale.into(), fieldsets::MDE::long().with_time_hm())?,
            moment_of_year: DateTimeFormatter::try_new(locale.into(), fieldsets::YMDE::long().with_time_hm())?,
            time: NoCalendarFormatter::try_new(locale.into(), fieldsets::T::hm())?,
            zone: NoCalendarFormatter::try_new(locale.into(), GenericLong)?,
            number: DecimalFormatter::try_new(locale.into(), icu::decimal::options::DecimalFormatterOptions::default())
                .map_err(DateTimeFormatterLoadError::Data)?,
            plural: PluralRules::try_new(locale.into(), icu::plurals::PluralRulesOptions::default())
                .map_err(DateTimeFormatterLoadError::Data)?,
            is_norwegian: matches!(locale.id.language.as_str(), "nb" | "nn" | "no"),
        })
    }

    /// "1. desember"; with its year where that is not `this_year`.
    pub fn date(&self, date: NaiveDate, this_year: i32) -> String {
        let day = day(date);
        if date.year() == this_year {
            self.day.format(&day).to_string()
        } else {
            self.day_of_year.format(&day).to_string()
        }
    }

    /// "tirsdag 1. desember kl. 12.00", likewise.
    pub fn moment(&self, moment: NaiveDateTime, this_year: i32) -> String {
        if self.is_norwegian {
            return format!("{} kl. {}", self.weekday_and_date(moment.date(), this_year), self.time(moment));
        }
        let clock = IcuDateTime { date: day(moment.date()), time: clock(moment) };
        if moment.year() == this_year {
            self.moment.format(&clock).to_string()
        } else {
            self.moment_of_year.format(&clock).to_string()
        }
    }

    /// "tirsdag 1. desember", likewise.
    pub fn weekday_and_date(&self, date: NaiveDate, this_year: i32) -> String {
        if self.is_norwegian {
            // The number of a day is an ordinal there, with a full stop: icu leaves that out beside a weekday.
            return format!("{} {}", self.weekday(date), self.date(date, this_year));
        }
        let day = day(date);
        if date.year() == this_year {
            self.weekday_and_day.format(&day).to_string()
        } else {
            self.weekday_and_day_of_year.format(&day).to_string()
        }
    }

    /// "tirsdag"
    pub fn weekday(&self, date: NaiveDate) -> String {
        self.weekday.format(&day(date)).to_string()
    }

    /// "12.00"
    pub fn time(&self, moment: NaiveDateTime) -> String {
        let time = self.time.format(&clock(moment)).to_string();
        // CLDR has the colon of ISO 8601. Språkrådet's rule for running text is the full stop.
        if self.is_norwegian { time.replace(':', ".") } else { time }
    }

    /// 1,980; 1 980
    pub fn number(&self, number: i64) -> String {
        self.number.format(&number.into()).to_string()
    }

    /// The category of a number in this language: one, other; in others zero, two, few, many, too.
    pub fn category(&self, number: i64) -> &'static str {
        match self.plural.category_for(number.unsigned_abs()) {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        }
    }

    /// What people call a zone at a moment ("Central European Time"); the city of its name where they do not.
    pub fn zone(&self, zone: Zone, moment: DateTime<Utc>) -> String {
        let Zone(zone) = zone;
        if matches!(zone, Tz::UTC | Tz::Etc__UTC | Tz::GMT | Tz::Etc__GMT | Tz::UCT | Tz::Etc__UCT | Tz::Zulu) {
            return "UTC".to_string();
        }
        let name = zone.name();
        let known = TimeZone::from_iana_id(name);
        if known == TimeZone::UNKNOWN {
            return city(name);
        }
        let named = known
            .with_offset(UtcOffset::try_from_seconds(Zone(zone).offset(moment).local_minus_utc()).ok())
            .with_zone_name_timestamp(ZoneNameTimestamp::from_epoch_seconds(moment.timestamp()));
        self.zone.format(&named).to_string()
    }
}

/// A time zone by which a person is told. One that is not known is UTC, and is called so.
#[derive(Clone, Copy)]
pub struct Zone(Tz);

impl Zone {
    pub fn of(name: Option<&str>) -> Self {
        Self(name.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC))
    }

    pub fn local(self, moment: DateTime<Utc>) -> NaiveDateTime {
        let (utc, offset) = (moment.naive_utc(), self.offset(moment));
        utc.checked_add_offset(offset).unwrap_or(utc)
    }

    fn offset(self, moment: DateTime<Utc>) -> FixedOffset {
        self.0.offset_from_utc_datetime(&moment.naive_utc()).fix()
    }
}

fn city(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

fn day(date: NaiveDate) -> icu::calendar::Date<Iso> {
    let date_of = |date: NaiveDate| {
        let (month, day) = (u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?);
        icu::calendar::Date::try_new_iso(date.year(), month, day).ok()
    };
    // Years beyond icu's 9,999 are cut to the last one that is written: nobody means them.
    date_of(date)
        .or_else(|| date_of(date.with_year(9999)?))
        .unwrap_or_else(|| icu::calendar::Date::from_rata_die(icu::calendar::types::RataDie::new(1), Iso))
}

fn clock(moment: NaiveDateTime) -> Time {
    let part = |number: u32| u8::try_from(number).unwrap_or_default();
    Time::try_new(part(moment.hour()), part(moment.minute()), 0, 0).unwrap_or(Time::start_of_day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(locale: &str) -> Formats {
        Formats::new(&locale.parse().unwrap()).unwrap()
    }

    fn noon() -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 12, 1).unwrap().and_hms_opt(12, 0, 0).unwrap()
    }

    #[test]
    fn dates_and_times_are_written_as_each_locale_does() {
        let said = |locale| {
            let formats = of(locale);
            let date = noon().date();
            [
                formats.weekday_and_date(date, 2026),
                formats.time(noon()),
                formats.moment(noon(), 2026),
                formats.moment(noon(), 2025),
                formats.date(date, 2026),
                formats.date(date, 2025),
                formats.weekday_and_date(date, 2025),
                formats.weekday(date),
            ]
            .join(" | ")
        };
        assert_eq!(
            said("nb-NO"),
            "tirsdag 1. desember | 12.00 | tirsdag 1. desember kl. 12.00 | tirsdag 1. desember 2026 kl. 12.00 | 1. desember | 1. desember 2026 | tirsdag 1. desember 2026 | tirsdag"
        );
        assert_eq!(
            said("en-US"),
            "Tuesday, December 1 | 12:00\u{202f}PM | Tuesday, December 1 at 12:00\u{202f}PM | Tuesday, December 1, 2026 at 12:00\u{202f}PM | December 1 | December 1, 2026 | Tuesday, December 1, 2026 | Tuesday"
        );
        assert_eq!(
            said("en-GB"),
            "Tuesday 1 December | 12:00 | Tuesday 1 December at 12:00 | Tuesday, 1 December 2026 at 12:00 | 1 December | 1 December 2026 | Tuesday, 1 December 2026 | Tuesday"
        );
        assert!(said("en-DE").starts_with("Tuesday 1 December | 12:00"), "{}", said("en-DE"));
        assert!(said("de").starts_with("Dienstag, 1. Dezember | 12:00"), "{}", said("de"));
    }

    #[test]
    fn numbers_and_plurals_are_those_of_the_language() {
        assert_eq!(of("en").number(1980), "1,980");
        assert_eq!(of("nb").number(1980), "1\u{a0}980");
        let categories = |locale| [0, 1, 2, 5, 22].map(|number| of(locale).category(number)).join(" ");
        assert_eq!(categories("nb"), "other one other other other");
        assert_eq!(categories("en"), "other one other other other");
        assert_eq!(categories("pl"), "many one few many few");
    }

    #[test]
    fn zones_are_called_what_people_call_them_and_else_by_their_city() {
        let moment = noon().and_utc();
        let zone = |locale, name| of(locale).zone(Zone::of(Some(name)), moment);
        assert_eq!(zone("en", "Europe/Oslo"), "Central European Time");
        assert_eq!(zone("nb", "Europe/Oslo"), "tidssone for Sentral-Europa");
        assert_eq!(zone("en", "Asia/Kolkata"), "India Standard Time");
        assert_eq!(zone("en", "Etc/UTC"), "UTC");
        assert_eq!(zone("en", "Nowhere/Nothing"), "UTC");
        assert_eq!(city("America/Argentina/Rio_Gallegos"), "Rio Gallegos");
        for zone in chrono_tz::TZ_VARIANTS {
            assert!(!of("nb").zone(Zone(zone), moment).is_empty(), "{zone}");
        }
    }

    #[test]
    fn no_date_and_no_time_is_beyond_it() {
        for moment in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            assert!(!of("nb").date(moment.date(), 2026).is_empty());
            assert!(!of("en").time(moment).is_empty());
        }
    }
}
