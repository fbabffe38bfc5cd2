//! Pauses that somebody makes: the status stays, due dates are reminded of, and silence is not counted.

use pgrx::Uuid;
use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::prelude::*;

use crate::arguments;
use crate::server::errors::{Result, invalid_argument, null_argument, unknown};
use crate::server::statement::{Statement, types};

/// Pauses an assignment from the day of as_of, in its organization's time zone, to until, both included (NULL: until further notice): these
/// days do not count, and nothing is followed up on them. Follow-ups that wait are skipped as paused; due dates are reminded of as
/// always. Who paused it is kept (the user behind the JWT, if any), and the reason, if one is given. One that is paused already is
/// paused until then instead. Returns the id of the row in assignment_pauses. Nothing need run for it to end.
///
/// 02000 for an unknown assignment, 22004 for a NULL assignment_id or as_of, 22008 for an infinite as_of, 22023 for an until before
/// the day of as_of.
#[pg_extern(volatile)]
fn pause_assignment(
    assignment_id: Option<Uuid>,
    until: default!(Option<Date>, "NULL"),
    reason: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<Option<Uuid>> {
    static PROLONG: Statement = Statement::by_index(
        include_str!("../../sql/clock/prolong.sql"),
        &[types::UUID, types::DATE, types::DATE, types::TEXT],
    );
    static PAUSE: Statement = Statement::by_index(
        include_str!("../../sql/clock/pause.sql"),
        &[types::UUID, types::DATE, types::DATE, types::TEXT],
    );
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let today = day_of(id, arguments::as_of(as_of)?)?;
    if until.is_some_and(|until| until < today) {
        return Err(invalid_argument(
            format!("a pause of assignment {id} from {today} cannot end before it begins"),
            "It begins with the day of as_of in the organization's time zone, and ends with until, that day included.",
            "Give that day or a later one, or NULL for until further notice.",
        ));
    }
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let arguments = [id.into(), today.into(), until.into(), reason.into()];
    let prolonged: Option<Uuid> = PROLONG.write(&arguments, |rows| rows.one("id"))?;
    match prolonged {
        Some(pause) => Ok(Some(pause)),
        None => PAUSE.write(&arguments, |rows| rows.one("id")),
    }
}

/// Ends the pause of an assignment: the day of as_of, in its organization's time zone, counts again. Returns whether it was paused.
///
/// 02000 for an unknown assignment, 22004 for NULL, 22008 for an infinite as_of.
#[pg_extern(volatile)]
fn resume_assignment(
    assignment_id: Option<Uuid>,
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    static RESUME: Statement =
        Statement::by_index(include_str!("../../sql/clock/resume.sql"), &[types::UUID, types::DATE]);
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let today = day_of(id, arguments::as_of(as_of)?)?;
    let ended: Vec<Uuid> = RESUME.write(&[id.into(), today.into()], |rows| rows.column("id"))?;
    Ok(!ended.is_empty())
}

/// The day of a moment where the assignment is.
fn day_of(assignment: Uuid, moment: TimestampWithTimeZone) -> Result<Date> {
    static DAY: Statement = Statement::by_index(include_str!("../../sql/clock/day.sql"), &[types::UUID, types::MOMENT]);
    let day = DAY.write(&[assignment.into(), moment.into()], |rows| rows.one("day"))?;
    day.ok_or_else(|| unknown("assignment", "assignments", assignment))
}
