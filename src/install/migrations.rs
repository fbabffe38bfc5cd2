//! Migrations: numbered steps that make the tables and bring them to this version, each applied once, in order. Owns the
//! record of them; what they do is in sql/install. A released one never changes: what it got wrong, a later one mends.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::ErrorReport;

use super::{Lock, lock_tables, names_after, run};
use crate::server::errors::{Result, broken_statement, error};
use crate::server::rows::Rows;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::{Failure, attempt};
use crate::server::swap;

/// A step. It may make relations, alter them and move data.
pub struct Migration {
    /// The name of its file: a number of three digits, and what it is about.
    file: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($file:literal),+ $(,)?) => {
        &[$(Migration { file: $file, sql: include_str!(concat!("../../sql/install/", $file, ".sql")) }),+]
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
    "014_negative_counts",
    "015_comments",
    "016_client_shapes",
    "017_user_roles",
    "018_clock",
    "019_attempts",
    "020_evaluations",
    "021_alerts",
    "022_verdicts",
    "023_outbox",
    "024_unsubscribe",
    "025_answers",
    "026_provider_messages",
    "027_episodes",
    "028_digests",
    "029_history",
    "030_pay",
    "031_forgotten",
    "032_message_templates",
    "033_addresses",
    "034_lost_attempts",
    "035_handed_out",
];

impl Migration {
    fn number(&self) -> Result<i32> {
        let (number, _) = self.file.split_once('_').unwrap_or_default();
        number.parse().map_err(|cause| broken_statement(format!("migration {}: {cause}", self.file)))
    }

    fn name(&self) -> &'static str {
        self.file.split_once('_').unwrap_or_default().1
    }

    /// The tables that it makes.
    fn tables(&self) -> impl Iterator<Item = &'static str> {
        names_after(self.sql, "CREATE TABLE assignment_reminders.")
    }

    /// The tables and views that it makes, which must not be there before.
    fn relations(&self) -> impl Iterator<Item = &'static str> {
        self.tables().chain(names_after(self.sql, "CREATE VIEW assignment_reminders."))
    }
}

thread_local! {
    /// Whether a migration is at work.
    static IS_AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Whether a migration is at work: what it gives to rows that are there is no change of theirs.
pub fn is_at_work() -> bool {
    IS_AT_WORK.get()
}

/// Does `work` as a migration does its own.
pub fn while_at_work<T>(work: impl FnOnce() -> T) -> T {
    swap::with(&IS_AT_WORK, true, work)
}

/// What migrations did.
pub struct Applied {
    pub number: usize,
    /// The tables that they made.
    pub tables: Vec<&'static str>,
}

/// Applies the migrations that are not recorded yet.
///
/// 42P07 when one of their relations is there already, 42P01 when one that an earlier one made is not, 42501 for anybody but
/// the tables' owner, 55000 when the tables are of a later version.
pub fn apply() -> Result<Applied> {
    static RECORD: Statement = Statement::kept(
        "INSERT INTO assignment_reminders.migrations (number, name, extension_version) VALUES ($1, $2, $3)",
        &[types::INT, types::TEXT, types::TEXT],
    );
    let outstanding = if existing_relations(&["migrations"])?.is_empty() {
        run(include_str!("../../sql/install/migrations.sql"))?;
        not_in(&[])?
    } else if is_our_migrations_table()? {
        outstanding()?
    } else {
        return Err(not_ours("migrations"));
    };
    let names: Vec<&str> = outstanding.iter().flat_map(|migration| migration.relations()).collect();
    if let Some(taken) = existing_relations(&names)?.first() {
        return Err(not_ours(taken));
    }
    require_all_there(&outstanding)?;
    if !outstanding.is_empty() {
        lock_tables(Lock::Everybody)?;
    }
    for migration in &outstanding {
        if let Err(failure) = attempt(AssertUnwindSafe(|| while_at_work(|| run(migration.sql))))? {
            return Err(failed(migration, failure));
        }
        RECORD.run(&[migration.number()?.into(), migration.name().into(), env!("CARGO_PKG_VERSION").into()])?;
    }
    let tables = outstanding.iter().flat_map(|migration| migration.tables()).collect();
    Ok(Applied { number: outstanding.len(), tables })
}

/// What a migration could not do: mostly, a column that somebody added has the name of one of ours.
fn failed(migration: &Migration, failure: Failure) -> ErrorReport {
    let hint = if failure.code == PgSqlErrorCode::ERRCODE_DUPLICATE_COLUMN {
        "Rename your column (ALTER TABLE ... RENAME COLUMN), then call install() again. The names that are ours are in docs/reference.md."
    } else {
        "Mend what it names, then call install() again: nothing was changed."
    };
    error(failure.code, failure.message, format!("Migration {} stopped at it.", migration.file), hint)
}

/// The migrations of this version that the tables have not had.
///
/// 42501 when the caller cannot see which they had, 55000 when those of a later version are among them.
fn outstanding() -> Result<Vec<&'static Migration>> {
    let visibility = VISIBLE.write(&[], Visibility::of)?;
    if !visibility.is_whole() {
        return Err(visibility.error());
    }
    if visibility.caller != visibility.owner {
        return Err(visibility.not_the_owner());
    }
    let applied: Vec<i32> = APPLIED.write(&[], |rows| rows.column("number"))?;
    let newest = MIGRATIONS.last().map_or(Ok(0), Migration::number)?;
    if let Some(unknown) = applied.iter().find(|&&number| number > newest) {
        return Err(error(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!(
                "the tables had migration {unknown}, which assignment_reminders {} does not know",
                env!("CARGO_PKG_VERSION")
            ),
            format!(
                "This version knows migrations up to {newest}; assignment_reminders.migrations names the version that applied it."
            ),
            "Update the extension to that version or a later one: ALTER EXTENSION assignment_reminders UPDATE.",
        ));
    }
    not_in(&applied)
}

/// How many migrations of this version the tables have not had; `None` where the caller cannot see which they had.
pub fn number_outstanding() -> Result<Option<usize>> {
    if !VISIBLE.read(&[], Visibility::of)?.is_whole() {
        return Ok(None);
    }
    let applied: Vec<i32> = APPLIED.read(&[], |rows| rows.column("number"))?;
    Ok(Some(not_in(&applied)?.len()))
}

fn not_in(applied: &[i32]) -> Result<Vec<&'static Migration>> {
    let mut outstanding = Vec::new();
    for migration in MIGRATIONS {
        if !applied.contains(&migration.number()?) {
            outstanding.push(migration);
        }
    }
    Ok(outstanding)
}

static APPLIED: Statement = Statement::kept("SELECT m.number FROM assignment_reminders.migrations m", &[]);

static VISIBLE: Statement = Statement::kept(
    "SELECT has_table_privilege(c.oid, 'SELECT') AS is_granted, row_security_active(c.oid) AS is_filtered,
            current_user::text AS caller, pg_get_userbyid(c.relowner)::text AS owner
       FROM pg_class c WHERE c.oid = 'assignment_reminders.migrations'::regclass",
    &[],
);

/// Whether the caller sees which migrations were applied. Those that row security or a missing right hides would look as if
/// they had not been.
struct Visibility {
    is_granted: bool,
    is_filtered: bool,
    caller: String,
    owner: String,
}

impl Visibility {
    fn of(mut rows: Rows) -> Result<Self> {
        let row = rows.next().ok_or_else(|| broken_statement("no facts about the migrations table"))?;
        Ok(Self {
            is_granted: row.not_null("is_granted")?,
            is_filtered: row.not_null("is_filtered")?,
            caller: row.not_null("caller")?,
            owner: row.not_null("owner")?,
        })
    }

    const fn is_whole(&self) -> bool {
        self.is_granted && !self.is_filtered
    }

    /// What somebody else would make beside the owner's tables would not be the owner's.
    fn not_the_owner(&self) -> ErrorReport {
        error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!(
                "install() is for the owner of the tables, {}, and the current role is {}",
                self.owner, self.caller
            ),
            "What it makes belongs to the role that calls it.",
            format!("Call it as {0}; a superuser, or a member of that role, after SET ROLE {0}.", self.owner),
        )
    }

    fn error(&self) -> ErrorReport {
        let cause = if self.is_granted {
            format!("Row security may hide rows of it from the role {}.", self.caller)
        } else {
            format!("The role {} has no right to SELECT from it.", self.caller)
        };
        error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "which migrations were applied cannot be read from assignment_reminders.migrations",
            cause,
            format!("Call install() as its owner, {}, with no row security forced on it.", self.owner),
        )
    }
}

/// 42P01 when a table that an applied migration made is gone: renamed, moved to another schema, or dropped.
fn require_all_there(outstanding: &[&Migration]) -> Result<()> {
    let outstanding: Vec<&str> = outstanding.iter().map(|migration| migration.file).collect();
    let tables: Vec<&str> = MIGRATIONS
        .iter()
        .filter(|migration| !outstanding.contains(&migration.file))
        .flat_map(Migration::tables)
        .collect();
    let there = existing_relations(&tables)?;
    let Some(missing) = tables.iter().find(|table| !there.iter().any(|name| name == *table)) else { return Ok(()) };
    Err(error(
        PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
        format!("the table assignment_reminders.{missing} is missing"),
        "install() made it. It was renamed since, moved to another schema, or dropped.",
        "Give it back its name and schema, or restore it from a backup, then call install() again.",
    ))
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

fn not_ours(relation: &str) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_DUPLICATE_TABLE,
        format!("assignment_reminders.{relation} already exists and was not made by install()"),
        "install() never takes over or changes a relation that it did not make.",
        format!("Rename assignment_reminders.{relation}, or move it to another schema, then call install() again."),
    )
}
