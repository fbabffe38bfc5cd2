//! What operators do: send again what was given up in an outage, and delete old history.

use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::notify;
use crate::arguments;
use crate::organization::existing_organization;
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::statement::{Statement, first_column};

/// Makes up to `batch_size` reminders that were given up since `failed_since` due again, with all their attempts, and returns
/// how many; call it until it returns 0. The claim still skips what should no longer be sent. NULL organisation: all. 22004
/// for NULL, 22008 for an infinite `as_of`, 22023 for a size outside 1 to 10,000, P0002 for an unknown organisation.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn retry_failed_reminders(
    failed_since: default!(Option<TimestampWithTimeZone>, "'-infinity'"),
    organization_id: default!(Option<Uuid>, "NULL"),
    batch_size: default!(Option<i32>, 10_000),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<i32> {
    static RETRY: Statement = Statement::new(
        include_str!("../../sql/delivery/retry_failed.sql"),
        &[
            pg_sys::BuiltinOid::TIMESTAMPTZOID,
            pg_sys::BuiltinOid::UUIDOID,
            pg_sys::BuiltinOid::INT4OID,
            pg_sys::BuiltinOid::TIMESTAMPTZOID,
        ],
    );
    let since = failed_since.ok_or_else(|| null_argument("failed_since"))?;
    let organization = existing_organization(organization_id)?;
    let size = arguments::size("batch_size", batch_size)?;
    let as_of = arguments::as_of(as_of)?;
    let retried: Vec<Uuid> =
        RETRY.write(&[since.into(), organization.into(), size.into(), as_of.into()], first_column)?;
    if !retried.is_empty() {
        notify::enqueued()?;
    }
    Ok(i32::try_from(retried.len()).unwrap_or(i32::MAX))
}

/// Deletes history older than `older_than`: up to `batch_size` rows each of `send_logs` and `evaluation_runs`, but never the
/// last run. Returns how many; call it until both are 0. 22004 for NULL, 22023 for a negative age or a size outside 1 to
/// 10,000, 22008 for an infinite `as_of`.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn prune(
    older_than: Option<Interval>,
    batch_size: default!(Option<i32>, 10_000),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<TableIterator<'static, (name!(send_logs, Option<i64>), name!(evaluation_runs, Option<i64>))>> {
    static LOGS: Statement = Statement::new(
        include_str!("../../sql/delivery/prune_send_logs.sql"),
        &[pg_sys::BuiltinOid::TIMESTAMPTZOID, pg_sys::BuiltinOid::INT4OID],
    );
    static RUNS: Statement = Statement::new(
        include_str!("../../sql/delivery/prune_evaluation_runs.sql"),
        &[pg_sys::BuiltinOid::TIMESTAMPTZOID, pg_sys::BuiltinOid::INT4OID],
    );
    static CUTOFF: Statement =
        Statement::new("SELECT $1 - $2", &[pg_sys::BuiltinOid::TIMESTAMPTZOID, pg_sys::BuiltinOid::INTERVALOID]);
    let older_than = older_than.ok_or_else(|| null_argument("older_than"))?;
    let size = arguments::size("batch_size", batch_size)?;
    let as_of = arguments::as_of(as_of)?;
    if older_than.as_micros() < 0 {
        return Err(invalid_argument(
            "older_than is negative",
            "History is deleted when it is older than this.",
            "Give an age such as interval '1 year'.",
        ));
    }
    let cutoff: Vec<TimestampWithTimeZone> = CUTOFF.read(&[as_of.into(), older_than.into()], first_column)?;
    let delete = |statement: &Statement| -> Result<Option<i64>> {
        let deleted: Vec<i64> = statement.write(&[cutoff.first().copied().into(), size.into()], first_column)?;
        Ok(deleted.first().copied())
    };
    Ok(TableIterator::once((delete(&LOGS)?, delete(&RUNS)?)))
}
