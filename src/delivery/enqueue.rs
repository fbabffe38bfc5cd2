//! Enqueueing: what is due goes to the outbox. One statement for each thing that reminders follow: its own query of what is due,
//! and one way to write it.

use pgrx::datum::TimestampWithTimeZone;

use super::notify;
use crate::rules::kind::Follows;
use crate::server::errors::Result;
use crate::server::rows::ResultSet;
use crate::server::statement::{Statement, types};

/// The statement that enqueues what a query of sql/enqueue finds due, by an insert of sql/enqueue. What comes `before` the query may keep
/// things out of it.
macro_rules! enqueue {
    ($(before $before:literal;)? $query:literal, $insert:literal) => {
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
            &[types::MOMENT],
        )
    };
}

static SILENCE: Statement = enqueue!(before "guard.sql"; "silence.sql", "about_assignment.sql");
static DUE_DATE: Statement = enqueue!("due_date.sql", "about_assignment.sql");
static OCCURRENCE: Statement = enqueue!("occurrence.sql", "about_person.sql");
static DAY: Statement = enqueue!("day.sql", "about_person.sql");

/// Enqueues what is due at `as_of` of the kinds that follow this, and returns it. Workers are notified.
pub fn enqueue(follows: Follows, as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    let statement = match follows {
        Follows::Silence => &SILENCE,
        Follows::DueDate => &DUE_DATE,
        Follows::Day => &DAY,
        Follows::Occurrence => &OCCURRENCE,
    };
    let enqueued = statement.write_rows(&[as_of.into()])?;
    for row in enqueued.rows() {
        if row.get::<String>("skip_reason")?.is_none() {
            notify::enqueued()?;
            break;
        }
    }
    Ok(enqueued)
}
