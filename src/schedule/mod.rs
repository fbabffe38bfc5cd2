//! Making and removing pg_cron jobs. The rules own the jobs' names, the modules their commands; pg_cron owns when they run.

pub mod access;
mod connection;

use pgrx::{PgSqlErrorCode, notice};

use crate::rules::job::Kind;
use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::result::{SetOf, returns, value};
use crate::server::statement::{Statement, types};
use access::{Access, access, home};

/// A job to be: its name is unique per role, and scheduling it again replaces it.
pub struct Job<'a> {
    pub kind: Kind,
    pub schedule: &'a str,
    pub command: String,
}

returns!(
    /// Jobs that were made.
    Jobs: SetOf, "TABLE (job_id bigint, job_name text, schedule text, command text)"
);

/// Makes the jobs in place of the current role's old ones, and warns where pg_cron will not be able to start them. 55000 where
/// pg_cron does not run jobs from this database, with a hint how to make them where it does.
pub fn make(jobs: Vec<Job>) -> Result<SetOf<Jobs>> {
    static SCHEDULE: Statement =
        Statement::kept("SELECT cron.schedule($1, $2, $3) AS id", &[types::TEXT, types::TEXT, types::TEXT]);
    require_pg_cron(|home| {
        let statements: Vec<String> = jobs.iter().map(elsewhere).collect::<Result<_>>()?;
        let here = if jobs.iter().any(|job| job.kind == Kind::Evaluation) {
            concat!("Here, since the job is hourly: ", include_str!("../../sql/daily/give_hours.sql"), ". ")
        } else {
            ""
        };
        let statements = statements.join("; ");
        Ok(format!("{here}In {home}: CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog; then {statements}"))
    })?;
    // pg_cron would keep an old job's host, and leave it switched off; and one under another name it would not find.
    unschedule(jobs.iter().map(|job| job.kind.name()).collect())?;
    let mut made = Vec::new();
    for Job { kind, schedule, command } in jobs {
        let arguments = [kind.name().into(), schedule.into(), command.as_str().into()];
        let id: Option<i64> = SCHEDULE.write(&arguments, |rows| rows.one("id"))?;
        made.push([
            value("job_id", id),
            value("job_name", kind.name()),
            value("schedule", schedule),
            value("command", command),
        ]);
    }
    connection::warn_of_doubts()?;
    Ok(SetOf::values(made))
}

/// Removes the current role's jobs of these kinds, and returns how many there were. 55000 where pg_cron does not run jobs from
/// this database.
pub fn remove(kinds: &[Kind]) -> Result<i32> {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    require_pg_cron(|home| Ok(format!("In {home}: {}", unschedule_elsewhere(names.clone())?)))?;
    unschedule(names)
}

/// Removes the current role's jobs of every kind, as far as pg_cron's tables are here, and returns how many there were. Tells how
/// to remove those that another database runs.
pub fn remove_every() -> Result<i32> {
    if let Some(Access { may_use: true, .. }) = access()? {
        return unschedule(access::names());
    }
    let database = current_database()?;
    if let Some(home) = home().filter(|home| *home != database) {
        let command = unschedule_elsewhere(access::names())?;
        notice!(
            "pg_cron may run jobs for this database from the database {home}; to remove those of a role, run there, as that role: {command}"
        );
    }
    Ok(0)
}

fn current_database() -> Result<String> {
    static DATABASE: Statement = Statement::kept("SELECT current_database()::text AS name", &[]);
    Ok(DATABASE.read(&[], |rows| rows.one("name"))?.unwrap_or_default())
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

fn unschedule(names: Vec<&'static str>) -> Result<i32> {
    static UNSCHEDULE: Statement = Statement::kept(include_str!("../../sql/schedule/unschedule.sql"), &[types::TEXTS]);
    let removed: Vec<bool> = UNSCHEDULE.write(&[names.into()], |rows| rows.column("was_there"))?;
    Ok(i32::try_from(removed.len()).unwrap_or(i32::MAX))
}

/// The statement that makes a job of this database from pg_cron's home.
fn elsewhere(job: &Job) -> Result<String> {
    static ELSEWHERE: Statement =
        Statement::kept(include_str!("../../sql/schedule/elsewhere.sql"), &[types::TEXT, types::TEXT, types::TEXT]);
    let arguments = [job.kind.name().into(), job.schedule.into(), job.command.as_str().into()];
    Ok(ELSEWHERE.read(&arguments, |rows| rows.one("command"))?.unwrap_or_default())
}

/// The statement that removes jobs of this database from pg_cron's home.
fn unschedule_elsewhere(names: Vec<&'static str>) -> Result<String> {
    static ELSEWHERE: Statement =
        Statement::kept(include_str!("../../sql/schedule/unschedule_elsewhere.sql"), &[types::TEXTS]);
    Ok(ELSEWHERE.read(&[names.into()], |rows| rows.one("command"))?.unwrap_or_default())
}

/// pg_cron runs the jobs of one database of a cluster, its home. From the others they are made and removed there, as
/// `there` says.
fn require_pg_cron(there: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let database = current_database()?;
    let access = access()?;
    let not_here = |detail: String, hint: String| {
        let message = if access.is_some() {
            "pg_cron does not run the jobs of this database"
        } else {
            "the extension pg_cron is not installed in this database"
        };
        Err(error(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message, detail, hint))
    };
    match (home(), &access) {
        (None, _) => not_here(
            "pg_cron is not loaded in this cluster.".to_string(),
            format!(
                "In postgresql.conf, add pg_cron to shared_preload_libraries, set cron.database_name = '{database}' and \
                 cron.use_background_workers = on; restart; CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog; and call \
                 this again. Or let another scheduler call the functions of assignment_reminders."
            ),
        ),
        (Some(home), _) if home != database => not_here(
            format!("The setting cron.database_name says that pg_cron's home is the database {home}."),
            there(&home)?,
        ),
        (Some(_), None) => not_here(
            format!("The setting cron.database_name says that this database, {database}, is pg_cron's home."),
            "As a superuser: CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog; then call this again.".to_string(),
        ),
        (Some(_), Some(Access { may_use: false, .. })) => Err(error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "the current role may not use pg_cron",
            "Jobs are made and removed in the schema cron, which this role has no USAGE on.",
            "As a superuser: GRANT USAGE ON SCHEMA cron TO that role.",
        )),
        (Some(_), Some(_)) => Ok(()),
    }
}
