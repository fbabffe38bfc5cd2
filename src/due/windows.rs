//! What `due_assignments` looks for: the spans of due dates around its targets. Its query is sql/due/reads.sql.

use pgrx::PgSqlErrorCode;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::arguments;
use crate::rules::due::{Unit, window};
use crate::server::calendar::{nearest_moment, timestamp};
use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::result::{SetOf, returns, value};

returns!(
    /// Spans of due dates.
    DueWindows: SetOf, "TABLE (target integer, reminder_type text, due_from timestamptz, due_to timestamptz)"
);

/// The span of due dates around each of targets, which are units (minutes, hours or days) after as_of, give or take
/// tolerance minutes; both ends included, and each target once. due_assignments looks for due dates in them.
///
/// 22004 for NULL, 22023 for another unit or a negative target or tolerance, 22008 for an infinite as_of or a target
/// beyond the calendar.
#[pg_extern(immutable, parallel_safe)]
fn due_windows(
    unit: Option<&str>,
    targets: Option<Vec<Option<i32>>>,
    tolerance: Option<i32>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<SetOf<DueWindows>> {
    let name = unit.ok_or_else(|| null_argument("unit"))?;
    let unit = Unit::named(name).ok_or_else(|| unknown_unit(name))?;
    let targets: Option<Vec<i32>> = targets.ok_or_else(|| null_argument("targets"))?.into_iter().collect();
    let mut targets = targets.ok_or_else(|| null_argument("an element of targets"))?;
    let tolerance = not_negative("tolerance", tolerance.ok_or_else(|| null_argument("tolerance"))?)?;
    let as_of = arguments::as_of(as_of)?;

    targets.sort_unstable();
    targets.dedup();
    let windows: Result<Vec<_>> = targets
        .into_iter()
        .map(|target| {
            let around = window(unit, not_negative("target", target)?, tolerance, nearest_moment(as_of));
            let ends = around.and_then(|around| timestamp(around.from).zip(timestamp(around.to)));
            let (from, to) = ends.ok_or_else(|| beyond_calendar(name, target))?;
            Ok([
                value("target", target),
                value("reminder_type", format!("{target}{}", unit.letter())),
                value("due_from", from),
                value("due_to", to),
            ])
        })
        .collect();
    Ok(SetOf::values(windows?))
}

fn not_negative(name: &str, number: i32) -> Result<i32> {
    if number >= 0 {
        return Ok(number);
    }
    Err(invalid_argument(
        format!("{name} {number} is negative"),
        "Assignments are looked for ahead of as_of.",
        format!("Give a {name} from 0, and a later or earlier as_of to look from another moment."),
    ))
}

fn unknown_unit(name: &str) -> ErrorReport {
    invalid_argument(
        format!("{name} is not a unit"),
        "Targets are counted in minutes, hours or days.",
        "Give 'minutes', 'hours' or 'days'.",
    )
}

fn beyond_calendar(unit: &str, target: i32) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("a target of {target} {unit} lies beyond the calendar"),
        "Due dates lie between the years 1 and 9999.",
        "Give a smaller target or tolerance.",
    )
}
