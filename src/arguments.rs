//! Arguments that many functions take, checked. Owns their limits and what is said when one is missed.

use pgrx::PgSqlErrorCode;
use pgrx::datum::{Interval, TimestampWithTimeZone};

use crate::server::errors::{Result, error, invalid_argument, null_argument};

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

/// How long a claim holds: longer than nothing, and at most a day. 22004 for NULL, 22023 beyond.
pub fn lease(lease: Option<Interval>) -> Result<Interval> {
    const DAY: i128 = 24 * 60 * 60 * 1_000_000;
    let lease = lease.ok_or_else(|| null_argument("lease"))?;
    if (1..=DAY).contains(&lease.as_micros()) {
        return Ok(lease);
    }
    Err(invalid_argument(
        format!("a lease of {} seconds is out of range", lease.as_micros() / 1_000_000),
        "A lease lasts longer than nothing and at most a day.",
        "Lease for as long as a batch takes, such as interval '5 minutes', and extend it while you work.",
    ))
}
