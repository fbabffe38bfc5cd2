//! The pg_cron jobs of the daily run. Owns their names and commands.

use pgrx::datum::Interval;
use pgrx::prelude::*;

use crate::arguments;
use crate::schedule::{self, Job, Jobs};
use crate::server::errors::Result;
use crate::server::result::SetOf;
use crate::server::statement::{Statement, types};

const RUN_JOB: &str = "assignment_reminders daily evaluation";
const WATCHDOG_JOB: &str = "assignment_reminders daily evaluation watchdog";

/// Schedules the daily run with pg_cron, and a watchdog that raises when the last run failed, is missing or ran over 30
/// minutes. Both schedules are pg_cron's, in its time zone (UTC unless configured otherwise). Calling it again changes
/// the schedules. Returns the jobs.
///
/// 22004 for NULL, 22023 for an empty schedule or an infinite max_age, 55000 where pg_cron is not in this database, with
/// a hint how to schedule from the one where it is.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn schedule_daily_evaluation(
    schedule: default!(Option<&str>, "'0 6 * * *'"),
    watchdog_schedule: default!(Option<&str>, "'30 * * * *'"),
    max_age: default!(Option<Interval>, "interval '26 hours'"),
) -> Result<SetOf<Jobs>> {
    schedule::make(vec![
        Job {
            name: RUN_JOB,
            schedule: schedule::required("schedule", schedule)?,
            command: "SELECT * FROM assignment_reminders.run_daily_evaluation()".to_string(),
        },
        Job {
            name: WATCHDOG_JOB,
            schedule: schedule::required("watchdog_schedule", watchdog_schedule)?,
            command: watchdog_command(arguments::length("max_age", max_age)?)?,
        },
    ])
}

/// Removes the jobs that `schedule_daily_evaluation` made for the current role, and returns how many there were.
///
/// 55000 where pg_cron is not in this database.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn unschedule_daily_evaluation() -> Result<i32> {
    schedule::remove(vec![RUN_JOB, WATCHDOG_JOB])
}

/// The watchdog's command, the age quoted by Postgres itself.
fn watchdog_command(max_age: Interval) -> Result<String> {
    static COMMAND: Statement = Statement::kept(
        "SELECT format('SELECT assignment_reminders.watch_daily_evaluation(interval %L)', $1) AS command",
        &[types::INTERVAL],
    );
    Ok(COMMAND.read(&[max_age.into()], |rows| rows.one("command"))?.unwrap_or_default())
}
