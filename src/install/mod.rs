//! Making the tables, keeping them as this version has them, and letting go of them. Owns the order of these steps; what is
//! made is in sql/install.

mod definitions;
pub mod migrations;
mod uninstall;

use std::panic::AssertUnwindSafe;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::{notice, warning};

pub use self::definitions::{altered_names, table_names, view_names};
pub use self::migrations::number_outstanding;
use crate::row_triggers::{OriginalRow, Triggered};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, broken_statement, raised};
use crate::server::own_trigger;
use crate::server::owner::as_table_owner;
use crate::server::row_security::Whole;
use crate::server::rows::Row;
use crate::server::search_path::with_ours;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::attempt;
use crate::{access, contact, counts, history, organization};

/// What ties the tables to the extension, which DROP EXTENSION ... CASCADE takes away.
const ATTACHMENTS: &str = include_str!("../../sql/install/triggers.sql");
/// What holds no data, and is made anew where it is another.
const VIEWS: &str = include_str!("../../sql/install/views.sql");

/// Makes the tables, owned by the caller, or brings them to this version. Triggers, defaults of organization_id and views
/// of ours that are missing, disabled or altered are put right, with a notice, and what triggers missed is caught up on;
/// constraints and indexes that are missing or altered are warned of and left. Calling it again changes nothing. Returns
/// what was done.
///
/// 42P07 when there is a relation with the name of one of ours that install() did not make, 25001 in a transaction that
/// is not READ COMMITTED, 42501 where the caller is not the tables' owner or cannot see which migrations were applied,
/// 42P01 when a table is missing, 55000 when the tables are of a later version.
#[pg_extern(volatile)]
fn install() -> Result<String> {
    const WHOLE: Whole = Whole {
        updates: &["assignments", "peer_mentors", "activities", "reminders"],
        inserts: &["reminder_settings", "unsubscribe_tokens"],
        ..Whole::reads(&[
            "organizations",
            "reminder_settings",
            "assignments",
            "peer_mentors",
            "activities",
            "contact_corrections",
            "reminders",
            "users",
            "unsubscribe_tokens",
        ])
    };
    require_read_committed("install()", NEEDS_READ_COMMITTED)?;
    AdvisoryLock::Install.take();

    let applied = migrations::apply()?;
    let number = applied.number;
    // What triggers missed is caught up on by what can be seen.
    WHOLE.require()?;
    let is_history_new = applied.tables.contains(&"row_history");
    let attached = attach(number > 0, is_history_new)?;
    let is_first = applied.tables.contains(&"organizations");
    let replaced = replace_views(is_first)?;
    if number > 0 {
        run_each(&WATCHERS, &[])?;
    }
    let policies = access::extend_to(&applied.tables)?;
    // Whether or not a trigger was away: somebody may have deleted the row.
    let settings = fill_settings()?;
    let tokens = fill_tokens()?;
    let mut done = Vec::new();
    if number + attached.ties > 0 {
        done.push(format!("{number} migrations applied, {} triggers and defaults attached", attached.ties));
    }
    if policies > 0 {
        done.push(format!("{policies} policies made"));
    }
    if number == 0 {
        for (number, what) in [
            (replaced, "views made anew"),
            (attached.counts, "counts corrected"),
            (attached.moved, "moved activities counted again"),
            (attached.contact_dates, "contact dates corrected"),
            (settings, "organizations given settings"),
            (tokens, "people given tokens to unsubscribe by"),
        ] {
            if number > 0 {
                done.push(format!("{number} {what}"));
            }
        }
    }
    if done.is_empty() {
        done.push("nothing to do".to_string());
    }
    if attached.left > 0 {
        done.push(format!("{} differences left, see assignment_reminders.altered_definitions()", attached.left));
    }
    Ok(format!("assignment_reminders {}: {}", env!("CARGO_PKG_VERSION"), done.join(", ")))
}

/// What a view has come to tell, those who could read it before may read.
static WATCHERS: Statement = Statement::kept(include_str!("../../sql/install/watchers.sql"), &[]);

/// What attaching did.
#[derive(Default)]
struct Attached {
    /// Triggers and defaults that were not as they should be.
    ties: usize,
    /// What else is altered, and was left.
    left: usize,
    counts: usize,
    /// Activities that count where they were moved to.
    moved: usize,
    contact_dates: usize,
}

/// Trigger: gives an organization its row of settings as it is inserted.
#[pg_trigger]
fn create_reminder_settings<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    static CREATE: Statement = Statement::kept(include_str!("../../sql/install/create_settings.sql"), &[]);
    raised(
        own_trigger::require(trigger, "create_reminder_settings")
            .and_then(|()| as_table_owner(trigger, || CREATE.write_in(trigger, |_| Ok(()))))
            .map(|()| None),
    )
}

/// Trigger: gives people their token to unsubscribe by as they are inserted.
#[pg_trigger]
fn create_unsubscribe_tokens<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    static CREATE: Statement = Statement::kept(include_str!("../../sql/install/create_tokens.sql"), &[]);
    raised(
        own_trigger::require(trigger, "create_unsubscribe_tokens")
            .and_then(|()| as_table_owner(trigger, || CREATE.write_in(trigger, |_| Ok(()))))
            .map(|()| None),
    )
}

/// What numbered corrections and dated assignments while our triggers were away (uninstall.sql).
static STAND_INS: Statement = Statement::kept(
    "SELECT 'ALTER TABLE assignment_reminders.contact_corrections ALTER COLUMN number DROP IDENTITY' AS command FROM pg_attribute a
      WHERE a.attrelid = 'assignment_reminders.contact_corrections'::regclass AND a.attname = 'number' AND a.attidentity <> ''
      UNION ALL
     SELECT 'ALTER TABLE assignment_reminders.assignments ALTER COLUMN assigned_on DROP DEFAULT' FROM pg_attrdef d
       JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      WHERE d.adrelid = 'assignment_reminders.assignments'::regclass AND a.attname = 'assigned_on'
        AND pg_get_expr(d.adbin, d.adrelid) = 'CURRENT_DATE'",
    &[],
);

/// Puts triggers and defaults right, all of them where tables are new, and catches up. Warns of what else was altered.
fn attach(are_tables_new: bool, is_history_new: bool) -> Result<Attached> {
    let altered = definitions::altered()?;
    let mut done = Attached::default();
    // Of new tables, and after uninstall() or DROP EXTENSION ... CASCADE: nothing to tell one by one.
    let are_all_away = are_tables_new || definitions::are_all_triggers_away(&altered)?;
    let (mut in_the_way, mut to_attach) = (Vec::new(), Vec::new());
    let mut was_history_away = false;
    for row in altered.rows() {
        let kind: String = row.not_null("kind")?;
        let (expected, actual) = (row.get::<String>("expected")?, row.get::<String>("actual")?);
        if kind == "view" {
            continue;
        }
        if kind != "trigger" && kind != "default" {
            done.left += 1;
            warning!(
                "{} is not as install() made it, and is left so. It was made as: {}. It is: {}",
                named(row)?,
                expected.unwrap_or_default(),
                actual.unwrap_or_else(|| "missing".to_string())
            );
            continue;
        }
        done.ties += 1;
        was_history_away |= kind == "trigger" && expected.as_deref().is_some_and(history::is_kept_by);
        // The others stay as they are, such as those that somebody has made fire always.
        to_attach.push((kind.clone(), row.not_null::<String>(if kind == "trigger" { "name" } else { "relation" })?));
        let Some(actual) = actual else {
            if !are_all_away {
                notice!("{} was missing, and is made again", named(row)?);
            }
            continue;
        };
        match &expected {
            Some(_) if are_all_away => {}
            Some(_) => notice!("{} is put right; it was: {actual}", named(row)?),
            None => notice!("{} is dropped: its function would do its work twice", named(row)?),
        }
        // CREATE OR REPLACE TRIGGER replaces any trigger but a constraint trigger.
        if kind == "trigger" && (expected.is_none() || actual.starts_with("CREATE CONSTRAINT TRIGGER")) {
            in_the_way.push(drop_trigger(row)?);
        }
    }
    if done.ties > 0 || are_tables_new {
        let is_organization_required = organization::is_required()?;
        // Writers are locked out until we commit, so that nothing is missed between catching up and the first trigger.
        lock_tables(Lock::Writers)?;
        for command in &in_the_way {
            run(command)?;
        }
        for statement in ATTACHMENTS.split(";\n") {
            let tie = tie_of(statement);
            if tie.is_some_and(|tie| are_tables_new || to_attach.contains(&tie)) {
                run(statement)?;
            }
        }
        if is_organization_required {
            organization::set_defaults(true)?;
        }
        run_each(&STAND_INS, &[])?;
        // Nobody knows what was changed meanwhile.
        if was_history_away && !is_history_new {
            history::move_to_now()?;
        }
        // What the triggers would have done while they were away.
        // Counts and dates are derived, and make no versions.
        done.counts = migrations::while_at_work(counts::repair)?.rows().count();
        done.moved = contact::release_moved()?;
        done.contact_dates = migrations::while_at_work(contact::repair)?.len();
    }
    Ok(done)
}

/// The trigger, or the table of the default, that a statement of triggers.sql makes.
fn tie_of(statement: &str) -> Option<(String, String)> {
    let first = |beginning| names_after(statement, beginning).next().map(str::to_string);
    let trigger = first("CREATE OR REPLACE TRIGGER ").map(|name| ("trigger".to_string(), name));
    trigger.or_else(|| Some(("default".to_string(), first("ALTER TABLE assignment_reminders.")?)))
}

fn drop_trigger(row: &Row) -> Result<String> {
    static COMMAND: Statement = Statement::kept(
        "SELECT format('DROP TRIGGER %I ON assignment_reminders.%I', $1, $2) AS command",
        &[types::TEXT, types::TEXT],
    );
    let arguments = [row.not_null::<String>("name")?.into(), row.not_null::<String>("relation")?.into()];
    Ok(COMMAND.read(&arguments, |rows| rows.one("command"))?.unwrap_or_default())
}

/// Makes the views as this version has them, and returns how many were others before. One that cannot be replaced, because
/// other columns or other kinds of relations stand in its place, is warned of and left. In a first installation nobody had any.
fn replace_views(is_first: bool) -> Result<usize> {
    static DEFINITIONS: Statement = Statement::kept(
        "SELECT d.name || ' ' || d.definition AS view FROM assignment_reminders.installed_definitions() AS d WHERE d.kind = 'view' ORDER BY 1",
        &[],
    );
    let definitions = || DEFINITIONS.write(&[], |rows| rows.column::<String>("view"));
    let before = definitions()?;
    if let Err(failure) = attempt(AssertUnwindSafe(|| run(VIEWS)))? {
        warning!(
            "{} is not as install() makes it, and is left so: {} (SQLSTATE {}). Drop what stands on it and it, and call install() again",
            definitions::view_names().join(", "),
            failure.message,
            failure.sqlstate()
        );
    }
    let after = definitions()?;
    for view in before.iter().filter(|view| !is_first && !after.contains(view)) {
        notice!("a view is made anew; it was: {view}");
    }
    Ok(after.iter().filter(|view| !before.contains(view)).count())
}

/// Gives organizations without settings their row, and returns how many there were.
fn fill_settings() -> Result<usize> {
    static FILL: Statement = Statement::kept(include_str!("../../sql/install/fill_settings.sql"), &[]);
    Ok(FILL.write_rows(&[])?.rows().count())
}

/// Gives people without a token theirs, and returns how many there were.
fn fill_tokens() -> Result<usize> {
    static FILL: Statement = Statement::kept(include_str!("../../sql/install/fill_tokens.sql"), &[]);
    Ok(FILL.write_rows(&[])?.rows().count())
}

/// "trigger assignments_count_inserted on assignments" and the like.
fn named(row: &Row) -> Result<String> {
    let (kind, name, relation): (String, String, String) =
        (row.not_null("kind")?, row.not_null("name")?, row.not_null("relation")?);
    Ok(format!("{kind} {name} on assignment_reminders.{relation}"))
}

/// The first word after each line's beginning.
fn names_after<'a>(sql: &'a str, beginning: &'a str) -> impl Iterator<Item = &'a str> {
    sql.lines().filter_map(move |line| line.strip_prefix(beginning)?.split(' ').next())
}

/// Catching up reads what others committed until the locks were had.
pub const NEEDS_READ_COMMITTED: &str = "In a stricter one it cannot see what others commit while it waits for locks.";

/// Whom the tables are locked against.
#[derive(Clone, Copy)]
pub enum Lock {
    /// Of what reads them, and keeps rows: against nobody but those who alter a table.
    Readers,
    Writers,
    /// Of what alters a table: taken beforehand, in the writers' order.
    Everybody,
}

/// Locks the tables until the transaction ends.
pub fn lock_tables(lock: Lock) -> Result<()> {
    static LOCK: Statement = Statement::kept(include_str!("../../sql/install/lock_tables.sql"), &[types::TEXT]);
    let mode = match lock {
        Lock::Readers => "ROW SHARE",
        Lock::Writers => "SHARE ROW EXCLUSIVE",
        Lock::Everybody => "ACCESS EXCLUSIVE",
    };
    run_each(&LOCK, &[mode.into()]).map(drop)
}

/// Runs the commands that a statement makes, and returns how many.
pub fn run_each(commands: &Statement, arguments: &[DatumWithOid]) -> Result<usize> {
    // Names are written in full where the path is ours.
    let commands: Vec<String> = with_ours(|| commands.write(arguments, |rows| rows.column("command")))??;
    for command in &commands {
        run(command)?;
    }
    Ok(commands.len())
}

/// Runs a file of statements.
pub fn run(sql: &str) -> Result<()> {
    with_ours(|| Spi::run(sql).map_err(broken_statement))?
}
