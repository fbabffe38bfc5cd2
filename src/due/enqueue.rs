//! Enqueueing what comes from the calendar. What is due is the rules' to say.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::arguments;
use crate::delivery::{enqueue_due_dates, enqueue_summaries};
use crate::history;
use crate::rules::kind::Follows;
use crate::server::errors::Result;
use crate::server::result::{SetOf, returns};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

returns!(
    /// Due reminders that were enqueued.
    EnqueuedDueReminders: SetOf,
    "TABLE (reminder_id uuid, organization_id uuid, assignment_id uuid, reminder_type text, anchor timestamptz, \
     scheduled_for timestamptz)"
);
returns!(
    /// Daily summaries that were enqueued.
    EnqueuedSummaries: SetOf,
    "TABLE (reminder_id uuid, organization_id uuid, recipient_id uuid, anchor timestamptz, scheduled_for timestamptz)"
);

/// Enqueues a reminder to the student for each of the organization's due_offsets before an assignment's due date, as
/// soon as the first one's time has come; a later one waits until its own. Calling it again enqueues nothing anew. When
/// it has not run for a while, what is late is due at once, as long as the assignment is not (the claim then sends only
/// the one closest to the due date). An assignment created after an offset's time gets just the others. A due date that
/// moved re-arms its reminders; those of assignments no longer open are skipped. Returns what it enqueued.
///
/// 22004 for NULL, 22008 for an infinite as_of.
#[pg_extern(volatile)]
fn enqueue_due_reminders(
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<EnqueuedDueReminders>> {
    static WITHDRAW: Statement =
        Statement::at_each_call(include_str!("../../sql/due/withdraw_due.sql"), &[types::MOMENT, types::TEXTS]);
    const WHOLE: Whole = Whole {
        updates: &["reminders"],
        inserts: &["reminders"],
        ..Whole::reads(&["organizations", "reminder_settings", "assignments", "users", "user_preferences", "reminders"])
    };
    let as_of = arguments::as_of(as_of)?;
    WHOLE.require()?;
    history::about(as_of, || {
        let enqueued = enqueue_due_dates(as_of)?;
        history::withdrawing(|| WITHDRAW.run(&[as_of.into(), Follows::DueDate.other_types().into()]))?;
        Ok(SetOf::statement(enqueued))
    })
}

/// Enqueues a summary for everybody who asked for one, once on each of their local days, from the hour that they
/// prefer; later that day if it did not run then. Nothing to say: no summary. Returns what it enqueued.
///
/// 22004 for NULL, 22008 for an infinite as_of.
#[pg_extern(volatile)]
fn enqueue_daily_summaries(
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<EnqueuedSummaries>> {
    const WHOLE: Whole = Whole {
        updates: &["reminders"],
        inserts: &["reminders"],
        ..Whole::reads(&["organizations", "users", "user_preferences", "assignments", "reminders"])
    };
    let as_of = arguments::as_of(as_of)?;
    WHOLE.require()?;
    history::about(as_of, || enqueue_summaries(as_of)).map(SetOf::statement)
}
