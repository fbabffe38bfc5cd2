//! Postgres dates and moments as chrono's. Owns the conversions and their errors; decides nothing.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use pgrx::PgSqlErrorCode;
use pgrx::datum::{Date, TimestampWithTimeZone};

use super::errors::{Result, error};

/// 2000-01-01, the day Postgres counts from, in chrono's count of days.
const POSTGRES_EPOCH: i64 = 730_120;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;
/// 2000-01-01 UTC, in microseconds since 1970.
const POSTGRES_EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// The chrono date of a Postgres date. 22008 where there is none: infinity, and years beyond chrono's 262,000.
pub fn calendar_date(name: &str, date: Date) -> Result<NaiveDate> {
    date.is_finite()
        .then(|| on_day(i64::from(date.to_pg_epoch_days())))
        .flatten()
        .ok_or_else(|| outside_calendar(name, &date.to_string()))
}

/// The UTC date of a Postgres moment. 22008 as for [`calendar_date`].
pub fn utc_date(name: &str, moment: TimestampWithTimeZone) -> Result<NaiveDate> {
    moment
        .is_finite()
        .then(|| on_day(moment.into_inner().div_euclid(MICROSECONDS_PER_DAY)))
        .flatten()
        .ok_or_else(|| outside_calendar(name, &moment.to_string()))
}

/// The chrono moment of a Postgres one; of one that chrono cannot hold, the nearest. For comparing, which must not fail on
/// whatever stands in a row.
pub fn nearest_moment(moment: TimestampWithTimeZone) -> DateTime<Utc> {
    let nearest = if moment.into_inner() < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_micros(moment.into_inner().saturating_add(POSTGRES_EPOCH_MICROSECONDS)).unwrap_or(nearest)
}

/// The chrono date of a Postgres one; of one that chrono cannot hold, the nearest.
pub fn nearest_date(date: Date) -> NaiveDate {
    let days = i64::from(date.to_pg_epoch_days());
    on_day(days).unwrap_or(if days < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
}

/// The Postgres date of a chrono one. `None` where Postgres has none.
pub fn date(date: NaiveDate) -> Option<Date> {
    Date::new(date.year(), u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?).ok()
}

/// The Postgres moment of a chrono one. `None` where Postgres has none.
pub fn timestamp(moment: DateTime<Utc>) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(moment.timestamp_micros() - POSTGRES_EPOCH_MICROSECONDS).ok()
}

fn on_day(days_from_postgres_epoch: i64) -> Option<NaiveDate> {
    let days = i32::try_from(days_from_postgres_epoch + POSTGRES_EPOCH).ok()?;
    NaiveDate::from_num_days_from_ce_opt(days)
}

fn outside_calendar(name: &str, value: &str) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("{name} {value} is not a date in the calendar"),
        "Infinite dates and years beyond 262142 cannot be counted in days.",
        format!("Give a finite {name}, or NULL where there is none."),
    )
}
