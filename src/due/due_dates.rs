//! Reminders before due dates: which assignments are due when, and enqueueing a reminder for each offset.

use pgrx::Uuid;
use pgrx::datum::{Timestamp, TimestampWithTimeZone};
use pgrx::prelude::*;

use crate::arguments;
use crate::delivery::notify;
use crate::organization::existing_organization;
use crate::rules::due::Unit;
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::statement::{Statement, columns, no_rows};

/// One page of the open assignments that are due `targets` units after `as_of`, give or take `tolerance` minutes, and whose
/// students can be written to; an assignment near two targets comes once for each. Ordered by target, due date and id: pass
/// those of the last row for the next page. NULL organisation: all that the caller sees. 22004 for NULL, 22023 for another
/// unit than minutes, hours or days, a negative target or tolerance, or a page size outside 1 to 10,000; 22008 for an
/// infinite `as_of` or a target beyond the calendar; P0002 for an unknown organisation.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn due_assignments(
    unit: Option<&str>,
    targets: Option<Vec<Option<i32>>>,
    tolerance: default!(Option<i32>, 1),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
    after_target: default!(Option<i32>, "NULL"),
    after_due_at: default!(Option<TimestampWithTimeZone>, "NULL"),
    after_assignment_id: default!(Option<Uuid>, "NULL"),
    page_size: default!(Option<i32>, 1000),
    organization_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(target, Option<i32>),
            name!(reminder_type, Option<String>),
            name!(organization_id, Option<Uuid>),
            name!(assignment_id, Option<Uuid>),
            name!(title, Option<String>),
            name!(due_at, Option<TimestampWithTimeZone>),
            name!(due_at_local, Option<Timestamp>),
            name!(timezone, Option<String>),
            name!(student_id, Option<Uuid>),
            name!(email, Option<String>),
            name!(name, Option<String>),
        ),
    >,
> {
    static PAGE: Statement = Statement::planned_at_each_call(include_str!("../../sql/due/due_assignments.sql"));
    let name = unit.ok_or_else(|| null_argument("unit"))?;
    let unit = Unit::named(name).ok_or_else(|| unknown_unit(name))?;
    let targets: Option<Vec<i32>> = targets.ok_or_else(|| null_argument("targets"))?.into_iter().collect();
    let targets = targets.ok_or_else(|| null_argument("an element of targets"))?;
    for &target in &targets {
        not_negative("target", target)?;
    }
    let tolerance = not_negative("tolerance", tolerance.ok_or_else(|| null_argument("tolerance"))?)?;
    let as_of = arguments::as_of(as_of)?;
    let page_size = arguments::size("page_size", page_size)?;
    let organization = existing_organization(organization_id)?;

    let page: Vec<_> = PAGE.read(
        &[
            targets.into(),
            unit.minutes().into(),
            tolerance.into(),
            as_of.into(),
            unit.letter().to_string().into(),
            after_target.into(),
            after_due_at.into(),
            after_assignment_id.into(),
            page_size.into(),
            organization.into(),
        ],
        |rows| rows.map(|row| Ok(columns!(row; 1 2 3 4 5 6 7 8 9 10 11))).collect(),
    )?;
    Ok(TableIterator::new(page))
}

/// Enqueues a reminder to the student for each of the organisation's `due_offsets` before an assignment's due date, as soon
/// as the first one's time has come; a later one waits until its own. Calling it again enqueues nothing anew. When it has
/// not run for a while, what is late is due at once, as long as the assignment is not (the claim then sends only the one
/// closest to the due date). An assignment created after an offset's time gets just the others. A due date that moved arms
/// its reminders again; those of assignments no longer open are skipped. Returns what it enqueued. 22004 for NULL, 22008
/// for an infinite `as_of`.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn enqueue_due_reminders(
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reminder_id, Option<Uuid>),
            name!(organization_id, Option<Uuid>),
            name!(assignment_id, Option<Uuid>),
            name!(reminder_type, Option<String>),
            name!(anchor, Option<TimestampWithTimeZone>),
            name!(scheduled_for, Option<TimestampWithTimeZone>),
        ),
    >,
> {
    static ENQUEUE: Statement = Statement::planned_at_each_call(include_str!("../../sql/due/enqueue_due.sql"));
    static WITHDRAW: Statement = Statement::planned_at_each_call(include_str!("../../sql/due/withdraw_due.sql"));
    let as_of = arguments::as_of(as_of)?;
    let enqueued: Vec<_> =
        ENQUEUE.write(&[as_of.into()], |rows| rows.map(|row| Ok(columns!(row; 1 2 3 4 5 6))).collect())?;
    WITHDRAW.write(&[as_of.into()], no_rows)?;
    if !enqueued.is_empty() {
        notify::enqueued()?;
    }
    Ok(TableIterator::new(enqueued))
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

fn unknown_unit(name: &str) -> pgrx::pg_sys::panic::ErrorReport {
    invalid_argument(
        format!("{name} is not a unit"),
        "Targets are counted in minutes, hours or days.",
        "Give 'minutes', 'hours' or 'days'.",
    )
}
