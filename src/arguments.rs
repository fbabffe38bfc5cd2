//! Arguments that many functions take, checked. Owns their limits and what is said when one is missed; SQL functions ask here, too.

use pgrx::datum::datetime_support::now;
use pgrx::datum::{AnyElement, Date, Interval, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use crate::server::calendar::calendar_date;
use crate::server::errors::{Result, error, invalid_argument, null_argument, unknown};

/// The moment that a function is asked for. 22004 for NULL, 22008 for infinity.
pub fn as_of(as_of: Option<TimestampWithTimeZone>) -> Result<TimestampWithTimeZone> {
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    if as_of.is_finite() {
        return Ok(as_of);
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("as_of {as_of} is not a moment in time"),
        "What is due, and for how long, is counted from it.",
        "Give a finite time, or leave as_of out for now.",
    ))
}

/// How far ahead of now a claim may be made.
const AHEAD: i64 = 31 * 24 * 60 * 60 * 1_000_000;

/// The moment of a claim or an answer, from which leases and retries are counted: at most 31 days ahead of now. 22004 for NULL, 22008 for infinity, 22023 beyond.
pub fn as_of_claim(moment: Option<TimestampWithTimeZone>) -> Result<TimestampWithTimeZone> {
    let moment = as_of(moment)?;
    if moment.into_inner() <= now().into_inner().saturating_add(AHEAD) {
        return Ok(moment);
    }
    Err(invalid_argument(
        format!("as_of {moment} is more than 31 days ahead"),
        "What is leased or tried again from then on would be nobody's to claim until then.",
        "Leave as_of out for now, or give a moment within the next 31 days.",
    ))
}

/// How many rows one call takes: 1 to 10,000. 22004 for NULL, 22023 beyond.
pub fn size(name: &str, size: Option<i32>) -> Result<i32> {
    match size {
        Some(size) if (1..=10_000).contains(&size) => Ok(size),
        Some(size) => Err(invalid_argument(
            format!("{name} {size} is out of range"),
            "One call takes 1 to 10000 rows.",
            "Take more in several calls.",
        )),
        None => Err(null_argument(name)),
    }
}

/// Whether an interval is without end, which Postgres 17 brought: in older ones these are lengths like any other.
pub fn is_infinite(interval: &Interval) -> bool {
    let parts = (interval.months(), interval.days(), interval.micros());
    cfg!(not(any(feature = "pg15", feature = "pg16")))
        && [(i32::MAX, i32::MAX, i64::MAX), (i32::MIN, i32::MIN, i64::MIN)].contains(&parts)
}

/// A length of time. 22004 for NULL, 22023 for infinity.
pub fn length(name: &str, length: Option<Interval>) -> Result<Interval> {
    let length = length.ok_or_else(|| null_argument(name))?;
    if !is_infinite(&length) {
        return Ok(length);
    }
    Err(invalid_argument(
        format!("{name} {length} is not a length of time"),
        "It is counted from a moment, and infinity leads to none.",
        format!("Give a finite interval for {name}."),
    ))
}

/// How long a claim holds: longer than nothing, and at most a day. 22004 for NULL, 22023 beyond.
pub fn lease(lease: Option<Interval>) -> Result<Interval> {
    const DAY: i128 = 24 * 60 * 60 * 1_000_000;
    let lease = length("lease", lease)?;
    if (1..=DAY).contains(&lease.as_micros()) {
        return Ok(lease);
    }
    Err(invalid_argument(
        format!("a lease of {} seconds is out of range", lease.as_micros() / 1_000_000),
        "A lease lasts longer than nothing and at most a day.",
        "Lease for as long as a batch takes, such as interval '5 minutes', and extend it while you work.",
    ))
}

/// 22023 for days in the wrong order, 22008 for those that are in no calendar.
pub fn require_order(first: Date, last: Date) -> Result<()> {
    if calendar_date("first_day", first)? <= calendar_date("last_day", last)? {
        return Ok(());
    }
    Err(invalid_argument(
        format!("first_day {first} is after last_day {last}"),
        "A period is from the beginning of its first day to the end of its last.",
        "Give the days in their order; the same one twice for a single day.",
    ))
}

/// The value itself. Where it is NULL, an error that says which argument is missing: 22004.
#[pg_extern(stable, parallel_safe)]
fn require_value(value: Option<AnyElement>, name: Option<&str>) -> Result<AnyElement> {
    value.ok_or_else(|| null_argument(name.unwrap_or("the argument")))
}

/// The moment itself.
///
/// 22004 for NULL, 22008 for infinity.
#[pg_extern(stable, parallel_safe)]
fn require_moment(as_of: Option<TimestampWithTimeZone>) -> Result<TimestampWithTimeZone> {
    self::as_of(as_of)
}

/// The page size itself, 1 to 10000 rows. NULL, which is all rows, is NULL.
///
/// 22023 beyond.
#[pg_extern(stable, parallel_safe)]
fn require_page_size(page_size: Option<i32>) -> Result<Option<i32>> {
    page_size.map(|rows| size("page_size", Some(rows))).transpose()
}

/// Raises the error that there is no assignment, organization, student or user with this id, or none that the caller may see.
/// SQL functions call it where a row is missing.
///
/// 02000 always; 22004 for NULL, 22023 for another word than these.
#[pg_extern(stable, parallel_safe)]
fn raise_unknown(what: Option<&str>, id: Option<Uuid>) -> Result<Option<Uuid>> {
    let what = what.ok_or_else(|| null_argument("what"))?;
    let id = id.ok_or_else(|| null_argument("id"))?;
    let table = match what {
        "assignment" => "assignments",
        "organization" => "organizations",
        "student" | "user" => "users",
        other => {
            return Err(invalid_argument(
                format!("{other} is not in a table of assignment_reminders"),
                "The error names the table in which there is no such row.",
                "Give 'assignment', 'organization', 'student' or 'user'.",
            ));
        }
    };
    Err(unknown(what, table, id))
}
