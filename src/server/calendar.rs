//! Postgres dates as chrono dates. Owns the conversion and its error; decides nothing.

use chrono::NaiveDate;
use pgrx::PgSqlErrorCode;
use pgrx::datum::{Date, TimestampWithTimeZone};

use super::errors::{Result, error};

/// 2000-01-01, the day Postgres counts from, in chrono's count of days.
const POSTGRES_EPOCH: i64 = 730_120;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

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
