//! Making and removing pg_cron jobs. The modules own their jobs' names and commands; pg_cron owns when they run.

use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;

use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::result::{SetOf, returns, value};
use crate::server::setting::setting;
use crate::server::statement::{Statement, types};

/// A job to be: its name is unique per role, and scheduling it again changes it.
pub struct Job<'a> {
    pub name: &'static str,
    pub schedule: &'a str,
    pub command: String,
}

returns!(
    /// Jobs that were made.
    Jobs: SetOf, "TABLE (job_id bigint, job_name text, schedule text, command text)"
);

/// Makes the jobs. 55000 where pg_cron is not in this database, with a hint how to make them where it is.
pub fn make(jobs: Vec<Job>) -> Result<SetOf<Jobs>> {
    static SCHEDULE: Statement =
        Statement::kept("SELECT cron.schedule($1, $2, $3) AS id", &[types::TEXT, types::TEXT, types::TEXT]);
    require_pg_cron(&jobs)?;
    let mut made = Vec::new();
    for Job { name, schedule, command } in jobs {
        let arguments = [name.into(), schedule.into(), command.as_str().into()];
        let id: Option<i64> = SCHEDULE.write(&arguments, |rows| rows.one("id"))?;
        made.push([
            value("job_id", id),
            value("job_name", name),
            value("schedule", schedule),
            value("command", command),
        ]);
    }
    Ok(SetOf::values(made))
}

/// Removes the current role's jobs of these names, and returns how many there were. 55000 where pg_cron is not in this
/// database.
pub fn remove(names: Vec<&'static str>) -> Result<i32> {
    static UNSCHEDULE: Statement = Statement::kept(
        "SELECT cron.unschedule(j.jobid) AS was_there FROM cron.job j WHERE j.jobname = ANY ($1) AND j.username = current_user",
        &[types::TEXTS],
    );
    require_pg_cron(&[])?;
    let removed: Vec<bool> = UNSCHEDULE.write(&[names.into()], |rows| rows.column("was_there"))?;
    Ok(i32::try_from(removed.len()).unwrap_or(i32::MAX))
}

/// Removes the current role's jobs that functions of ours made, and returns how many there were; none where pg_cron is not in
/// this database.
pub fn remove_every() -> Result<i32> {
    static UNSCHEDULE: Statement = Statement::kept(
        "SELECT cron.unschedule(j.jobid) AS was_there FROM cron.job j
          WHERE starts_with(j.jobname, 'assignment_reminders ') AND j.username = current_user AND j.database = current_database()",
        &[],
    );
    if !is_installed()? {
        return Ok(0);
    }
    let removed: Vec<bool> = UNSCHEDULE.write(&[], |rows| rows.column("was_there"))?;
    Ok(i32::try_from(removed.len()).unwrap_or(i32::MAX))
}

/// The schedule itself. 22004 for NULL, 22023 when it is empty.
pub fn required<'a>(name: &str, schedule: Option<&'a str>) -> Result<&'a str> {
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

/// Whether pg_cron is in this database.
fn is_installed() -> Result<bool> {
    static INSTALLED: Statement = Statement::kept("SELECT e.oid FROM pg_extension e WHERE e.extname = 'pg_cron'", &[]);
    Ok(INSTALLED.read(&[], |rows| rows.one::<pg_sys::Oid>("oid"))?.is_some())
}

/// pg_cron can only be created in one database of a cluster; from the others its jobs are made there.
fn require_pg_cron(jobs: &[Job]) -> Result<()> {
    static ELSEWHERE: Statement = Statement::kept(
        "SELECT format('SELECT cron.schedule_in_database(%L, %L, %L, %L)', $1 || ' in ' || current_database(), $2, $3, current_database()) AS command",
        &[types::TEXT, types::TEXT, types::TEXT],
    );
    if is_installed()? {
        return Ok(());
    }
    let (detail, hint) = match setting(c"cron.database_name") {
        None => (
            "pg_cron is not loaded in this cluster.".to_string(),
            "Add pg_cron to shared_preload_libraries, restart, and CREATE EXTENSION pg_cron; or let another scheduler call the functions of assignment_reminders.".to_string(),
        ),
        Some(home) => {
            let mut commands = Vec::new();
            for job in jobs {
                let arguments = [job.name.into(), job.schedule.into(), job.command.as_str().into()];
                commands.extend(ELSEWHERE.read(&arguments, |rows| rows.one::<String>("command"))?);
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
