//! Making and removing pg_cron jobs. The rooms own their jobs' names and commands; pg_cron owns when they run.

use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;

use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::setting::setting;
use crate::server::statement::{Statement, first_column};

/// A job to be: its name is unique per role, and scheduling it again changes it.
pub struct Job<'a> {
    pub name: &'static str,
    pub schedule: &'a str,
    pub command: String,
}

/// A job that was made: id, name, schedule, command.
type Made = (Option<i64>, String, String, String);

/// Makes the jobs. 55000 where pg_cron is not in this database, with a hint how to make them where it is.
pub fn make(jobs: Vec<Job>) -> Result<Vec<Made>> {
    static SCHEDULE: Statement = Statement::new(
        "SELECT cron.schedule($1, $2, $3)",
        &[pg_sys::BuiltinOid::TEXTOID, pg_sys::BuiltinOid::TEXTOID, pg_sys::BuiltinOid::TEXTOID],
    );
    require_pg_cron(&jobs)?;
    let mut made = Vec::new();
    for Job { name, schedule, command } in jobs {
        let id: Vec<i64> = SCHEDULE.write(&[name.into(), schedule.into(), command.as_str().into()], first_column)?;
        made.push((id.first().copied(), name.to_string(), schedule.to_string(), command));
    }
    Ok(made)
}

/// Removes the current role's jobs of these names, and returns how many there were. 55000 where pg_cron is not in this
/// database.
pub fn remove(names: Vec<&'static str>) -> Result<i32> {
    static UNSCHEDULE: Statement = Statement::new(
        "SELECT cron.unschedule(j.jobid) FROM cron.job j WHERE j.jobname = ANY ($1) AND j.username = current_user",
        &[pg_sys::BuiltinOid::TEXTARRAYOID],
    );
    require_pg_cron(&[])?;
    let removed: Vec<bool> = UNSCHEDULE.write(&[names.into()], first_column)?;
    Ok(i32::try_from(removed.len()).unwrap_or(i32::MAX))
}

/// The schedule itself. 22004 for NULL, 22023 when it is empty.
pub fn given<'a>(name: &str, schedule: Option<&'a str>) -> Result<&'a str> {
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
            "Add pg_cron to shared_preload_libraries, restart, and CREATE EXTENSION pg_cron; or let another scheduler call the functions of assignment_reminders.".to_string(),
        ),
        Some(home) => {
            let mut commands = Vec::new();
            for job in jobs {
                let arguments = [job.name.into(), job.schedule.into(), job.command.as_str().into()];
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
