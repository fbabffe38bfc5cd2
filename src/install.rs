//! Making the tables and bringing them up to date. Owns the order; what the tables are is in sql/install.

use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;

use crate::row_triggers::{OriginalRow, Triggered};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, broken_statement, error, raised};
use crate::server::owner::as_table_owner;
use crate::server::setting::is_read_committed;
use crate::server::statement::{Statement, types};
use crate::{contact, counts};

/// A numbered step, applied once.
struct Migration {
    /// The name of its file: a number of three digits, and what it is about.
    file: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($file:literal),+ $(,)?) => {
        &[$(Migration { file: $file, sql: include_str!(concat!("../sql/install/", $file, ".sql")) }),+]
    };
}

/// In the order of their numbers.
const MIGRATIONS: &[Migration] = migrations![
    "001_organizations",
    "002_reminder_settings",
    "003_users",
    "004_user_preferences",
    "005_peer_mentors",
    "006_assignments",
    "007_contact_corrections",
    "008_activities",
    "009_reminders",
    "010_send_logs",
    "011_evaluation_runs",
    "012_claim_rates",
    "013_reminder_queue",
];

impl Migration {
    fn number(&self) -> Result<i32> {
        let (number, _) = self.file.split_once('_').unwrap_or_default();
        number.parse().map_err(|cause| broken_statement(format!("migration {}: {cause}", self.file)))
    }

    fn name(&self) -> &'static str {
        self.file.split_once('_').unwrap_or_default().1
    }

    /// The tables and views that it makes, which must not be there before.
    fn relations(&self) -> impl Iterator<Item = &'static str> {
        ["CREATE TABLE assignment_reminders.", "CREATE VIEW assignment_reminders."]
            .into_iter()
            .flat_map(|beginning| names_after(self.sql, beginning))
    }
}

/// The first word after each line's beginning.
fn names_after<'a>(sql: &'a str, beginning: &'a str) -> impl Iterator<Item = &'a str> {
    sql.lines().filter_map(move |line| line.strip_prefix(beginning)?.split(' ').next())
}

/// What ties the tables to the extension, which DROP EXTENSION ... CASCADE takes away.
const ATTACHMENTS: &str = include_str!("../sql/install/triggers.sql");

/// Makes the tables, owned by the caller, or brings them to this version; recreates triggers that are missing and
/// catches up on what they missed. Calling it again changes nothing. Returns what was done.
///
/// 42P07 when there is a relation with the name of one of ours that install() did not make, 25001 in a transaction that
/// is not READ COMMITTED.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn install() -> Result<String> {
    require_read_committed()?;
    AdvisoryLock::Install.take();

    let applied = migrate()?;
    let attached = missing_attachments()?;
    if attached > 0 {
        run(ATTACHMENTS)?;
        catch_up()?;
    }
    Ok(match (applied, attached) {
        (0, 0) => format!("assignment_reminders {}: nothing to do", env!("CARGO_PKG_VERSION")),
        _ => format!(
            "assignment_reminders {}: {applied} migrations applied, {attached} triggers and defaults attached",
            env!("CARGO_PKG_VERSION")
        ),
    })
}

/// Trigger: gives an organization its row of settings as it is inserted.
#[pg_trigger]
fn create_reminder_settings<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    static CREATE: Statement = Statement::kept(include_str!("../sql/install/create_settings.sql"), &[]);
    raised(as_table_owner(trigger, || CREATE.write_in(trigger, |_| Ok(()))).map(|()| None))
}

/// Applies the migrations that are not recorded yet, and returns how many.
fn migrate() -> Result<usize> {
    static APPLIED: Statement = Statement::kept("SELECT m.number FROM assignment_reminders.migrations m", &[]);
    static RECORD: Statement = Statement::kept(
        "INSERT INTO assignment_reminders.migrations (number, name, extension_version) VALUES ($1, $2, $3)",
        &[types::INT, types::TEXT, types::TEXT],
    );
    if !existing_relations(&["migrations"])?.is_empty() && !is_our_migrations_table()? {
        return Err(not_ours("migrations"));
    }
    if existing_relations(&["migrations"])?.is_empty() {
        run(include_str!("../sql/install/migrations.sql"))?;
    }
    let applied: Vec<i32> = APPLIED.write(&[], |rows| rows.column("number"))?;
    let mut outstanding = Vec::new();
    for migration in MIGRATIONS {
        let number = migration.number()?;
        if !applied.contains(&number) {
            outstanding.push((number, migration));
        }
    }
    let names: Vec<&str> = outstanding.iter().flat_map(|(_, migration)| migration.relations()).collect();
    if let Some(taken) = existing_relations(&names)?.first() {
        return Err(not_ours(taken));
    }
    for (number, migration) in &outstanding {
        run(migration.sql)?;
        RECORD.run(&[(*number).into(), migration.name().into(), env!("CARGO_PKG_VERSION").into()])?;
    }
    Ok(outstanding.len())
}

/// How many of the triggers and defaults in [`ATTACHMENTS`] are not there.
fn missing_attachments() -> Result<i64> {
    static MISSING: Statement =
        Statement::kept(include_str!("../sql/install/missing_attachments.sql"), &[types::TEXTS, types::TEXTS]);
    let triggers: Vec<&str> = names_after(ATTACHMENTS, "CREATE OR REPLACE TRIGGER ").collect();
    let defaults: Vec<&str> = names_after(ATTACHMENTS, "ALTER TABLE assignment_reminders.").collect();
    Ok(MISSING.write(&[triggers.into(), defaults.into()], |rows| rows.one("missing"))?.unwrap_or(0))
}

/// What the triggers would have done while they were away. CREATE TRIGGER has locked writers out until we commit.
fn catch_up() -> Result<()> {
    static FILL_SETTINGS: Statement = Statement::kept(include_str!("../sql/install/fill_settings.sql"), &[]);
    FILL_SETTINGS.run(&[])?;
    counts::repair()?;
    contact::repair()?;
    Ok(())
}

fn existing_relations(names: &[&str]) -> Result<Vec<String>> {
    static EXISTING: Statement = Statement::kept(
        "SELECT c.relname::text AS name FROM pg_class c WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) ORDER BY 1",
        &[types::TEXTS],
    );
    EXISTING.write(&[names.to_vec().into()], |rows| rows.column("name"))
}

fn is_our_migrations_table() -> Result<bool> {
    static COLUMNS: Statement = Statement::kept(
        "SELECT count(*) AS columns FROM pg_attribute a WHERE a.attrelid = 'assignment_reminders.migrations'::regclass AND a.attname IN ('number', 'name', 'extension_version', 'applied_at')",
        &[],
    );
    Ok(COLUMNS.write(&[], |rows| rows.one::<i64>("columns"))? == Some(4))
}

/// Catching up reads what others committed until the locks were had, which an older snapshot would not see.
fn require_read_committed() -> Result<()> {
    if is_read_committed() {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        "install() needs a READ COMMITTED transaction",
        "In a stricter one it cannot see what others commit while it waits for locks.",
        "Call it on its own, or after BEGIN ISOLATION LEVEL READ COMMITTED.",
    ))
}

fn not_ours(relation: &str) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_DUPLICATE_TABLE,
        format!("assignment_reminders.{relation} already exists and was not made by install()"),
        "install() never takes over or changes a relation that it did not make.",
        format!("Rename or drop assignment_reminders.{relation}, then call install() again."),
    )
}

/// Runs a file of statements.
fn run(sql: &str) -> Result<()> {
    Spi::run(sql).map_err(broken_statement)
}
