//! One daily run: take the lock, enqueue what is due, log how it went. What is due is the rules' to say.

use std::panic::AssertUnwindSafe;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::spi::{SpiHeapTupleData, SpiResult};
use pgrx::{Uuid, warning};

use super::RUN_LOCK;
use crate::arguments;
use crate::delivery::notify;
use crate::server::errors::Result;
use crate::server::statement::{Statement, columns, first_column, no_rows};
use crate::server::subtransaction::{Failure, attempt};

/// A follow-up that a run enqueued: reminder, organisation, assignment, action, days of silence, type, recipient,
/// skip reason and anchor.
type Enqueued = (
    Option<Uuid>,
    Option<Uuid>,
    Option<Uuid>,
    Option<String>,
    Option<i32>,
    Option<String>,
    Option<Uuid>,
    Option<String>,
    Option<TimestampWithTimeZone>,
);

/// How a run ended, as `evaluation_runs` keeps it.
#[derive(Default)]
struct Outcome {
    status: &'static str,
    reminders: i32,
    escalations: i32,
    undeliverable: i32,
    error: Option<String>,
    sqlstate: Option<String>,
}

/// Enqueues every follow-up that is due at `as_of`, over all organisations, and returns what it enqueued; logs the run.
/// While another run works, it returns no rows at once and is logged as skipped. A run that fails enqueues nothing, is
/// logged as failed with its error, and warns instead of raising, so that the log is kept. 22004 for NULL, 22008 for an
/// infinite `as_of`.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn run_daily_evaluation(
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reminder_id, Option<Uuid>),
            name!(organization_id, Option<Uuid>),
            name!(assignment_id, Option<Uuid>),
            name!(action, Option<String>),
            name!(days_since, Option<i32>),
            name!(reminder_type, Option<String>),
            name!(recipient_id, Option<Uuid>),
            name!(skip_reason, Option<String>),
            name!(anchor, Option<TimestampWithTimeZone>),
        ),
    >,
> {
    static LOCK: Statement = Statement::new(
        "SELECT pg_try_advisory_xact_lock($1, $2)",
        &[pg_sys::BuiltinOid::INT4OID, pg_sys::BuiltinOid::INT4OID],
    );
    static CLOCK: Statement = Statement::new("SELECT clock_timestamp()", &[]);

    let as_of = arguments::as_of(as_of)?;
    let started_at: Vec<TimestampWithTimeZone> = CLOCK.read(&[], first_column)?;
    let is_ours: Vec<bool> = LOCK.write(&[RUN_LOCK.0.into(), RUN_LOCK.1.into()], first_column)?;
    let (enqueued, outcome) = if is_ours == [true] {
        match attempt(AssertUnwindSafe(|| enqueue(as_of)))? {
            Ok(enqueued) => {
                let outcome = Outcome::succeeded(&enqueued);
                (enqueued, outcome)
            }
            Err(failure) => {
                warning!("the daily evaluation failed: {} (SQLSTATE {})", failure.message, failure.sqlstate);
                (Vec::new(), Outcome::failed(failure))
            }
        }
    } else {
        (Vec::new(), Outcome { status: "skipped", ..Outcome::default() })
    };
    if outcome.reminders + outcome.escalations > 0 {
        notify::enqueued()?;
    }
    log(as_of, started_at.first().copied(), outcome)?;
    Ok(TableIterator::new(enqueued))
}

impl Outcome {
    fn succeeded(enqueued: &[Enqueued]) -> Self {
        let count = |wanted: &dyn Fn(&Enqueued) -> bool| {
            i32::try_from(enqueued.iter().filter(|row| wanted(row)).count()).unwrap_or(i32::MAX)
        };
        let is = |row: &Enqueued, action| row.3.as_deref() == Some(action) && row.7.is_none();
        Self {
            status: "succeeded",
            reminders: count(&|row| is(row, "remind")),
            escalations: count(&|row| is(row, "escalate")),
            undeliverable: count(&|row| row.7.is_some()),
            ..Self::default()
        }
    }

    fn failed(failure: Failure) -> Self {
        Self { status: "failed", error: Some(failure.message), sqlstate: Some(failure.sqlstate), ..Self::default() }
    }
}

fn enqueue(as_of: TimestampWithTimeZone) -> Result<Vec<Enqueued>> {
    static ENQUEUE: Statement = Statement::planned_at_each_call(include_str!("../../sql/daily/enqueue.sql"));
    ENQUEUE.write(&[as_of.into()], |rows| rows.map(enqueued).collect())
}

fn enqueued(row: SpiHeapTupleData) -> SpiResult<Enqueued> {
    Ok(columns!(row; 1 2 3 4 5 6 7 8 9))
}

fn log(as_of: TimestampWithTimeZone, started_at: Option<TimestampWithTimeZone>, outcome: Outcome) -> Result<()> {
    static LOG: Statement = Statement::new(
        include_str!("../../sql/daily/log_run.sql"),
        &[
            pg_sys::BuiltinOid::TIMESTAMPTZOID,
            pg_sys::BuiltinOid::TIMESTAMPTZOID,
            pg_sys::BuiltinOid::TEXTOID,
            pg_sys::BuiltinOid::INT4OID,
            pg_sys::BuiltinOid::INT4OID,
            pg_sys::BuiltinOid::INT4OID,
            pg_sys::BuiltinOid::TEXTOID,
            pg_sys::BuiltinOid::TEXTOID,
        ],
    );
    LOG.write(
        &[
            as_of.into(),
            started_at.into(),
            outcome.status.into(),
            outcome.reminders.into(),
            outcome.escalations.into(),
            outcome.undeliverable.into(),
            outcome.error.into(),
            outcome.sqlstate.into(),
        ],
        no_rows,
    )
}
