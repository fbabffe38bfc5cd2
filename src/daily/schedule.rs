//! The pg_cron jobs of the daily run. Owns their schedules and arguments.

use pgrx::datum::Interval;
use pgrx::notice;
use pgrx::prelude::*;

use crate::arguments;
use crate::rules::job::Kind;
use crate::schedule::{self, Job, Jobs};
use crate::server::errors::Result;
use crate::server::result::SetOf;
use crate::server::statement::{Statement, types};

/// Schedules the daily run with pg_cron, hourly, so that each organization is evaluated from its evaluation_hour on, in its own morning
/// (those without one get 7); a run a day does, too, and leaves none out. And a watchdog that raises when the last run failed, is
/// missing or ran over 30 minutes, and at the same times a job that tells the admins (enqueue_alerts). Both schedules are pg_cron's, in its time zone (UTC unless configured otherwise). Calling it again
/// replaces the current role's jobs. Returns the jobs; warns where pg_cron will not be able to start them.
///
/// 22004 for NULL, 22023 for an empty schedule or an infinite max_age, 55000 where pg_cron is not in this database, with
/// a hint how to schedule from the one where it is, 42501 without USAGE on the schema cron.
#[pg_extern(volatile)]
fn schedule_daily_evaluation(
    schedule: default!(Option<&str>, "'0 * * * *'"),
    watchdog_schedule: default!(Option<&str>, "'30 * * * *'"),
    max_age: default!(Option<Interval>, "interval '26 hours'"),
) -> Result<SetOf<Jobs>> {
    let max_age = argument(arguments::length("max_age", max_age)?)?;
    let watchdog_schedule = schedule::required("watchdog_schedule", watchdog_schedule)?;
    let jobs = schedule::make(vec![
        Job {
            kind: Kind::Evaluation,
            schedule: schedule::required("schedule", schedule)?,
            command: format!("{})", Kind::Evaluation.command()),
        },
        Job {
            kind: Kind::Watchdog,
            schedule: watchdog_schedule,
            command: format!("{}{max_age})", Kind::Watchdog.command()),
        },
        Job {
            kind: Kind::Alerts,
            schedule: watchdog_schedule,
            command: format!("{}{max_age})", Kind::Alerts.command()),
        },
    ])?;
    give_hours()?;
    Ok(jobs)
}

/// An hourly job would evaluate those without an hour at night, too.
fn give_hours() -> Result<()> {
    static GIVE_HOURS: Statement = Statement::kept(include_str!("../../sql/daily/give_hours.sql"), &[]);
    static MAY_GIVE: Statement = Statement::kept(include_str!("../../sql/daily/may_give_hours.sql"), &[]);
    match MAY_GIVE.read(&[], |rows| rows.one("may_give"))? {
        Some(true) => GIVE_HOURS.run(&[]),
        Some(false) => {
            notice!(
                "this role may not write reminder_settings: every run, also at night, will evaluate organizations whose evaluation_hour is NULL"
            );
            Ok(())
        }
        None => Ok(()),
    }
}

/// Removes the jobs that `schedule_daily_evaluation` made for the current role, and returns how many there were.
///
/// 55000 where pg_cron is not in this database, 42501 without USAGE on the schema cron.
#[pg_extern(volatile)]
fn unschedule_daily_evaluation() -> Result<i32> {
    schedule::remove(&[Kind::Evaluation, Kind::Watchdog, Kind::Alerts])
}

/// The age as a command has it, quoted by Postgres itself.
fn argument(max_age: Interval) -> Result<String> {
    static ARGUMENT: Statement = Statement::kept("SELECT format('interval %L', $1) AS argument", &[types::INTERVAL]);
    Ok(ARGUMENT.read(&[max_age.into()], |rows| rows.one("argument"))?.unwrap_or_default())
}
