//! The pg_cron jobs of the daily run. Owns their schedules and arguments.

use pgrx::datum::Interval;
use pgrx::prelude::*;

use crate::arguments;
use crate::rules::job::Kind;
use crate::schedule::{self, Job, Jobs};
use crate::server::errors::Result;
use crate::server::result::SetOf;
use crate::server::statement::{Statement, types};

/// Schedules the daily run with pg_cron, and a watchdog that raises when the last run failed, is missing or ran over 30
/// minutes. Both schedules are pg_cron's, in its time zone (UTC unless configured otherwise). Calling it again
/// replaces the current role's jobs. Returns the jobs; warns where pg_cron will not be able to start them.
///
/// 22004 for NULL, 22023 for an empty schedule or an infinite max_age, 55000 where pg_cron is not in this database, with
/// a hint how to schedule from the one where it is, 42501 without USAGE on the schema cron.
#[pg_extern(volatile)]
fn schedule_daily_evaluation(
    schedule: default!(Option<&str>, "'0 6 * * *'"),
    watchdog_schedule: default!(Option<&str>, "'30 * * * *'"),
    max_age: default!(Option<Interval>, "interval '26 hours'"),
) -> Result<SetOf<Jobs>> {
    schedule::make(vec![
        Job {
            kind: Kind::Evaluation,
            schedule: schedule::required("schedule", schedule)?,
            command: Kind::Evaluation.command().to_string(),
        },
        Job {
            kind: Kind::Watchdog,
            schedule: schedule::required("watchdog_schedule", watchdog_schedule)?,
            command: watchdog_command(arguments::length("max_age", max_age)?)?,
        },
    ])
}

/// Removes the jobs that `schedule_daily_evaluation` made for the current role, and returns how many there were.
///
/// 55000 where pg_cron is not in this database, 42501 without USAGE on the schema cron.
#[pg_extern(volatile)]
fn unschedule_daily_evaluation() -> Result<i32> {
    schedule::remove(&[Kind::Evaluation, Kind::Watchdog])
}

/// The watchdog's command, the age quoted by Postgres itself.
fn watchdog_command(max_age: Interval) -> Result<String> {
    static ARGUMENT: Statement = Statement::kept("SELECT format('interval %L', $1) AS argument", &[types::INTERVAL]);
    let argument: Option<String> = ARGUMENT.read(&[max_age.into()], |rows| rows.one("argument"))?;
    Ok(format!("{}{})", Kind::Watchdog.command(), argument.unwrap_or_default()))
}
