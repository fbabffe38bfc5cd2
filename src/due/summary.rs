//! The daily summary: what it says, and enqueueing it once per person and local day.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};

use crate::arguments;
use crate::delivery::notify;
use crate::server::errors::{Result, null_argument, unknown};
use crate::server::statement::{Statement, columns};

/// What a student's summary at `as_of` says: their open assignments that are not yet due, the overdue ones, and those
/// completed within the day before, each as a JSON array of `assignment_id`, title, `due_at` and `due_at_local` (in the
/// student's time zone). 22004 for NULL, 22008 for an infinite `as_of`, P0002 for an unknown student.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn daily_summary(
    student_id: Option<Uuid>,
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (name!(current, Option<JsonB>), name!(overdue, Option<JsonB>), name!(completed, Option<JsonB>)),
    >,
> {
    static SUMMARY: Statement = Statement::new(
        include_str!("../../sql/due/daily_summary.sql"),
        &[pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::TIMESTAMPTZOID],
    );
    let student = student_id.ok_or_else(|| null_argument("student_id"))?;
    let as_of = arguments::as_of(as_of)?;
    let summary: Vec<_> =
        SUMMARY.read(&[student.into(), as_of.into()], |rows| rows.map(|row| Ok(columns!(row; 1 2 3))).collect())?;
    if summary.is_empty() {
        return Err(unknown("student", "users", student));
    }
    Ok(TableIterator::new(summary))
}

/// Enqueues a summary for everybody who asked for one, once on each of their local days, from the hour that they prefer;
/// later that day if it did not run then. Nothing to say: no summary. Returns what it enqueued. 22004 for NULL, 22008 for
/// an infinite `as_of`.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn enqueue_daily_summaries(
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reminder_id, Option<Uuid>),
            name!(organization_id, Option<Uuid>),
            name!(recipient_id, Option<Uuid>),
            name!(anchor, Option<TimestampWithTimeZone>),
            name!(scheduled_for, Option<TimestampWithTimeZone>),
        ),
    >,
> {
    static ENQUEUE: Statement = Statement::planned_at_each_call(include_str!("../../sql/due/enqueue_summaries.sql"));
    let as_of = arguments::as_of(as_of)?;
    let enqueued: Vec<_> =
        ENQUEUE.write(&[as_of.into()], |rows| rows.map(|row| Ok(columns!(row; 1 2 3 4 5))).collect())?;
    if !enqueued.is_empty() {
        notify::enqueued()?;
    }
    Ok(TableIterator::new(enqueued))
}
