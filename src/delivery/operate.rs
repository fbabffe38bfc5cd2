//! What operators do: send again what was given up in an outage, and delete old history.

use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::notify;
use crate::arguments;
use crate::organization::existing_organization;
use crate::schedule::access::{access, commands, names};
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns, value};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

/// Makes up to batch_size reminders that were given up since failed_since due again, their attempts back at zero, and
/// returns how many; call it until it returns 0. The claim still skips what should no longer be sent. NULL
/// organization: all.
///
/// 22004 for NULL, 22008 for an infinite as_of, 22023 for a size outside 1 to 10,000, 02000 for an unknown
/// organization.
#[pg_extern(volatile)]
fn retry_failed_reminders(
    failed_since: default!(Option<TimestampWithTimeZone>, "'-infinity'"),
    organization_id: default!(Option<Uuid>, "NULL"),
    batch_size: default!(Option<i32>, 10_000),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<i32> {
    static RETRY: Statement = Statement::kept(
        include_str!("../../sql/delivery/retry_failed.sql"),
        &[types::MOMENT, types::UUID, types::INT, types::MOMENT],
    );
    const WHOLE: Whole = Whole { updates: &["reminders"], ..Whole::reads(&["reminders"]) };
    WHOLE.require_in(|| Ok(organization_id))?;
    let since = failed_since.ok_or_else(|| null_argument("failed_since"))?;
    let organization = existing_organization(organization_id)?;
    let size = arguments::size("batch_size", batch_size)?;
    let as_of = arguments::as_of(as_of)?;
    let arguments = [since.into(), organization.into(), size.into(), as_of.into()];
    let retried: Vec<Uuid> = RETRY.write(&arguments, |rows| rows.column("id"))?;
    if !retried.is_empty() {
        notify::enqueued()?;
    }
    Ok(i32::try_from(retried.len()).unwrap_or(i32::MAX))
}

returns!(
    /// How much history was deleted.
    Pruned: SetOf, "TABLE (send_logs bigint, evaluation_runs bigint)"
);

/// Deletes history older than older_than: up to batch_size rows each of send_logs and evaluation_runs, but never the
/// last run, and not what somebody else holds. Returns how many; call it until both are 0. Where pg_cron is here, it also deletes up to batch_size of what
/// that recorded of our jobs' runs, as far as the caller may, but never a job's last run; these are not counted.
///
/// 22004 for NULL, 22023 for a negative or infinite age or a size outside 1 to 10,000, 22008 for an infinite as_of.
#[pg_extern(volatile)]
fn prune(
    older_than: Option<Interval>,
    batch_size: default!(Option<i32>, 10_000),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<Pruned>> {
    static LOGS: Old = Old {
        table: "send_logs",
        lock: Statement::kept(include_str!("../../sql/delivery/lock_old_send_logs.sql"), &[types::MOMENT, types::INT]),
        delete: Statement::by_index(include_str!("../../sql/delivery/delete_send_logs.sql"), &[types::UUIDS]),
    };
    static RUNS: Old = Old {
        table: "evaluation_runs",
        lock: Statement::kept(
            include_str!("../../sql/delivery/lock_old_evaluation_runs.sql"),
            &[types::MOMENT, types::INT],
        ),
        delete: Statement::by_index(include_str!("../../sql/delivery/delete_evaluation_runs.sql"), &[types::UUIDS]),
    };
    static JOB_RUNS: Statement = Statement::at_each_call(
        include_str!("../../sql/delivery/prune_job_runs.sql"),
        &[types::MOMENT, types::INT, types::TEXTS, types::TEXTS],
    );
    static CUTOFF: Statement = Statement::kept("SELECT $1 - $2 AS cutoff", &[types::MOMENT, types::INTERVAL]);
    const WHOLE: Whole =
        Whole { deletes: &["send_logs", "evaluation_runs"], ..Whole::reads(&["send_logs", "evaluation_runs"]) };
    let older_than = arguments::length("older_than", older_than)?;
    WHOLE.require()?;
    let size = arguments::size("batch_size", batch_size)?;
    let as_of = arguments::as_of(as_of)?;
    if older_than.as_micros() < 0 {
        return Err(invalid_argument(
            format!("older_than {older_than} is negative"),
            "History is deleted when it is older than this.",
            "Give an age such as interval '1 year'.",
        ));
    }
    let cutoff: Option<TimestampWithTimeZone> =
        CUTOFF.read(&[as_of.into(), older_than.into()], |rows| rows.one("cutoff"))?;
    if access()?.is_some_and(|access| access.may_read && access.may_delete) {
        JOB_RUNS.run(&[cutoff.into(), size.into(), names().into(), commands().into()])?;
    }
    Ok(SetOf::values([[
        value("send_logs", LOGS.delete(cutoff, size)?),
        value("evaluation_runs", RUNS.delete(cutoff, size)?),
    ]]))
}

/// Old rows of a table, and what deletes them.
struct Old {
    table: &'static str,
    lock: Statement,
    delete: Statement,
}

impl Old {
    /// Returns how many were. Those that others hold stay for the next time: they are of any organization, and nobody waits for another's.
    fn delete(&'static self, cutoff: Option<TimestampWithTimeZone>, size: i32) -> Result<i64> {
        // As the owner: to lock, one would need a right to update. Whether the caller may see and delete them, what deletes them asks.
        let free: Vec<Uuid> =
            as_owner_of(self.table, || self.lock.write(&[cutoff.into(), size.into()], |rows| rows.column("id")))?;
        let deleted = self.delete.write(&[free.into()], |rows| Ok(rows.count()))?;
        Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
    }
}
