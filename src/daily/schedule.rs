//! The pg_cron jobs of the daily run. Owns their names and commands; pg_cron owns when they run.

use pgrx::PgSqlErrorCode;
use pgrx::datum::Interval;
use pgrx::prelude::*;

use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::setting::setting;
use crate::server::statement::{Statement, first_column};

const RUN_JOB: &str = "assignment_reminders daily evaluation";
const WATCHDOG_JOB: &str = "assignment_reminders daily evaluation watchdog";

/// Schedules the daily run with pg_cron, and a watchdog that raises when the last run failed, is missing or ran over 30
/// minutes. Both schedules are pg_cron's, in its time zone (UTC unless configured otherwise). Calling it again changes
/// the schedules. Returns the jobs. 22004 for NULL, 22023 for an empty schedule, 55000 where pg_cron is not in this
/// database, with a hint how to schedule from the one where it is.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn schedule_daily_evaluation(
    schedule: default!(Option<&str>, "'0 6 * * *'"),
    watchdog_schedule: default!(Option<&str>, "'30 * * * *'"),
    max_age: default!(Option<Interval>, "interval '26 hours'"),
) -> Result<
    TableIterator<
        'static,
        (name!(job_id, Option<i64>), name!(job_name, String), name!(schedule, String), name!(command, String)),
    >,
> {
    static SCHEDULE: Statement = Statement::new(
        "SELECT cron.schedule($1, $2, $3)",
        &[pg_sys::BuiltinOid::TEXTOID, pg_sys::BuiltinOid::TEXTOID, pg_sys::BuiltinOid::TEXTOID],
    );
    let schedule = given("schedule", schedule)?;
    let watchdog_schedule = given("watchdog_schedule", watchdog_schedule)?;
    let max_age = max_age.ok_or_else(|| null_argument("max_age"))?;

    let jobs = [
        (RUN_JOB, schedule, "SELECT * FROM assignment_reminders.run_daily_evaluation()".to_string()),
        (WATCHDOG_JOB, watchdog_schedule, watchdog_command(max_age)?),
    ];
    require_pg_cron(&jobs)?;
    let mut made = Vec::new();
    for (name, schedule, command) in jobs {
        let id: Vec<i64> = SCHEDULE.write(&[name.into(), schedule.into(), command.as_str().into()], first_column)?;
        made.push((id.first().copied(), name.to_string(), schedule.to_string(), command));
    }
    Ok(TableIterator::new(made))
}

/// Removes the jobs that `schedule_daily_evaluation` made for the current role, and returns how many there were.
/// 55000 where pg_cron is not in this database.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn unschedule_daily_evaluation() -> Result<i32> {
    static UNSCHEDULE: Statement = Statement::new(
        "SELECT cron.unschedule(j.jobid) FROM cron.job j WHERE j.jobname = ANY ($1) AND j.username = current_user",
        &[pg_sys::BuiltinOid::TEXTARRAYOID],
    );
    require_pg_cron(&[])?;
    let removed: Vec<bool> = UNSCHEDULE.write(&[vec![RUN_JOB, WATCHDOG_JOB].into()], first_column)?;
    Ok(i32::try_from(removed.len()).unwrap_or(i32::MAX))
}

type Job<'a> = (&'a str, &'a str, String);

fn given<'a>(name: &str, schedule: Option<&'a str>) -> Result<&'a str> {
    let schedule = schedule.ok_or_else(|| null_argument(name))?;
    if schedule.trim().is_empty() {
        return Err(invalid_argument(
            format!("{name} is empty"),
            "pg_cron needs the five fields of a cron schedule.",
            "Give one such as '0 6 * * *': every day at 06:00.",
        ));
    }
    Ok(schedule)
}

/// The watchdog's command, the age quoted by Postgres itself.
fn watchdog_command(max_age: Interval) -> Result<String> {
    static COMMAND: Statement = Statement::new(
        "SELECT format('SELECT assignment_reminders.watch_daily_evaluation(interval %L)', $1)",
        &[pg_sys::BuiltinOid::INTERVALOID],
    );
    Ok(COMMAND.read(&[max_age.into()], first_column)?.into_iter().next().unwrap_or_default())
}

/// pg_cron can only be created in one database of a cluster; from the others its jobs are made there.
fn require_pg_cron(jobs: &[Job]) -> Result<()> {
    static INSTALLED: Statement = Statement::new("SELECT e.oid FROM pg_extension e WHERE e.extname = 'pg_cron'", &[]);
    static ELSEWHERE: Statement = Statement::new(
        "SELECT format('SELECT cron.schedule_in_database(%L, %L, %L, %L)', $1 || ' in ' || current_database(), $2, $3, current_database())",
        &[pg_sys::BuiltinOid::TEXTOID, pg_sys::BuiltinOid::TEXTOID, pg_sys::BuiltinOid::TEXTOID],
    );
    if !INSTALLED.read(&[], first_column::<pg_sys::Oid>)?.is_empty() {
        return Ok(());
    }
    let (detail, hint) = match setting(c"cron.database_name") {
        None => (
            "pg_cron is not loaded in this cluster.".to_string(),
            "Add pg_cron to shared_preload_libraries, restart, and CREATE EXTENSION pg_cron; or let another scheduler call assignment_reminders.run_daily_evaluation() every day.".to_string(),
        ),
        Some(home) => {
            let mut commands = Vec::new();
            for (name, schedule, command) in jobs {
                let arguments = [(*name).into(), (*schedule).into(), command.as_str().into()];
                commands.extend(ELSEWHERE.read(&arguments, first_column::<String>)?);
            }
            let there = if commands.is_empty() { "use cron.unschedule".to_string() } else { commands.join("; ") };
            (
                format!("The setting cron.database_name says that pg_cron's home is the database {home}."),
                format!("In {home}: CREATE EXTENSION IF NOT EXISTS pg_cron; then {there}"),
            )
        }
    };
    Err(error(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "the extension pg_cron is not installed in this database",
        detail,
        hint,
    ))
}
