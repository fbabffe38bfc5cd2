//! Enqueueing: what is due goes to the outbox. One statement for each thing that reminders follow: its own query of what is due,
//! and one way to write it.

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;

use super::notify;
use crate::server::errors::Result;
use crate::server::rows::ResultSet;
use crate::server::statement::{Statement, types};

/// The statement that enqueues what a query of sql/enqueue finds due, by an insert of sql/enqueue. What comes `before` the query may keep
/// things out of it.
macro_rules! enqueue {
    ($(before $before:literal;)? $query:literal, $insert:literal $(, $more:expr)?) => {
        Statement::at_each_call(
            concat!(
                "WITH ",
                $(include_str!(concat!("../../sql/enqueue/", $before)),)?
                "due AS MATERIALIZED (\n",
                include_str!(concat!("../../sql/enqueue/", $query)),
                "), enqueued AS (\n",
                include_str!(concat!("../../sql/enqueue/", $insert)),
                ")\n",
                include_str!("../../sql/enqueue/enqueued.sql")
            ),
            &[types::MOMENT $(, $more)?],
        )
    };
}

static SILENCE: Statement = enqueue!(before "guard.sql"; "silence.sql", "about_assignment.sql", types::UUIDS);
static DUE_DATE: Statement = enqueue!("due_date.sql", "about_assignment.sql");
static OCCURRENCE: Statement = enqueue!("occurrence.sql", "about_person.sql");
static DAY: Statement = enqueue!("day.sql", "about_person.sql");

/// Enqueues the follow-ups of these organizations that are due at `as_of` and not held, and returns them. Workers are notified.
pub fn enqueue_follow_ups(as_of: TimestampWithTimeZone, organizations: Vec<Uuid>) -> Result<ResultSet> {
    notified(SILENCE.write_rows(&[as_of.into(), organizations.into()])?)
}

/// Enqueues the reminders of due dates that are due at `as_of`, and returns them. Workers are notified.
pub fn enqueue_due_dates(as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    notified(DUE_DATE.write_rows(&[as_of.into()])?)
}

/// Enqueues the summaries that are due at `as_of`, and returns them. Workers are notified.
pub fn enqueue_summaries(as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    notified(DAY.write_rows(&[as_of.into()])?)
}

/// Enqueues the notices that are due at `as_of`, and returns them. Workers are notified.
pub fn enqueue_notices(as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    notified(OCCURRENCE.write_rows(&[as_of.into()])?)
}

fn notified(enqueued: ResultSet) -> Result<ResultSet> {
    for row in enqueued.rows() {
        if row.get::<String>("skip_reason")?.is_none() {
            notify::enqueued()?;
            break;
        }
    }
    Ok(enqueued)
}
