//! Watching the daily run. Owns the facts and the alarm; the verdict is the rules'.

use pgrx::PgSqlErrorCode;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::spi::{SpiHeapTupleData, SpiResult};

use super::RUN_LOCK;
use crate::rules::health::{Facts, LastRun, Running, Status, judge};
use crate::server::errors::{Result, broken_statement, error, null_argument};
use crate::server::statement::Statement;

/// Whether the daily run does its work: ok, warning or critical, with the reasons, worst first, and the start of the
/// last run that was not skipped. Critical: the last run failed, is longer ago than `max_age`, took over 30 minutes, or a
/// run hangs. 22004 for NULL.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn evaluation_health(
    max_age: default!(Option<Interval>, "interval '26 hours'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (name!(status, String), name!(reasons, Vec<String>), name!(last_run_at, Option<TimestampWithTimeZone>)),
    >,
> {
    let (status, reasons, last_run_at) = verdict(max_age, as_of)?;
    Ok(TableIterator::once((status.name().to_string(), reasons, last_run_at)))
}

/// Raises when `evaluation_health` is critical, so that pg_cron's own job list shows it; returns the status otherwise.
/// 55000 with the reasons.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn watch_daily_evaluation(max_age: default!(Option<Interval>, "interval '26 hours'")) -> Result<String> {
    let (status, reasons, _) = verdict(max_age, Some(pgrx::datum::datetime_support::now()))?;
    if status < Status::Critical {
        return Ok(status.name().to_string());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("the daily evaluation needs attention: {}", reasons.join("; ")),
        "assignment_reminders.evaluation_runs holds the runs, cron.job_run_details what pg_cron saw of them.",
        "Mend the cause, then run SELECT * FROM assignment_reminders.run_daily_evaluation() by hand.",
    ))
}

type Verdict = (Status, Vec<String>, Option<TimestampWithTimeZone>);

fn verdict(max_age: Option<Interval>, as_of: Option<TimestampWithTimeZone>) -> Result<Verdict> {
    static FACTS: Statement = Statement::new(
        include_str!("../../sql/daily/health_facts.sql"),
        &[
            pg_sys::BuiltinOid::TIMESTAMPTZOID,
            pg_sys::BuiltinOid::INTERVALOID,
            pg_sys::BuiltinOid::INT4OID,
            pg_sys::BuiltinOid::INT4OID,
        ],
    );
    let max_age = max_age.ok_or_else(|| null_argument("max_age"))?;
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let arguments = [as_of.into(), max_age.into(), RUN_LOCK.0.into(), RUN_LOCK.1.into()];
    let (facts, last_run_at) = FACTS
        .read(&arguments, |mut rows| rows.next().map(facts).transpose())?
        .ok_or_else(|| broken_statement(pgrx::spi::Error::NoTupleTable))?;
    let (status, reasons) = judge(&facts);
    Ok((status, reasons, last_run_at))
}

fn facts(row: SpiHeapTupleData) -> SpiResult<(Facts, Option<TimestampWithTimeZone>)> {
    let last_run = match row.get::<String>(1)? {
        Some(status) => Some(LastRun {
            failed_with: if status == "failed" { row.get(2)? } else { None },
            took_too_long: row.get(4)?.unwrap_or(false),
            undeliverable: row.get(10)?.unwrap_or(0),
        }),
        None => None,
    };
    let running = match row.get(6)? {
        Some(pid) => Some(Running { pid, is_stuck: row.get(8)? }),
        None => None,
    };
    let facts = Facts {
        last_run,
        is_overdue: row.get(5)?.unwrap_or(false),
        running,
        organizations_without_settings: row.get(9)?.unwrap_or(0),
    };
    Ok((facts, row.get(3)?))
}
