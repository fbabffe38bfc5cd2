//! What install() makes beside the rows, and whether it still is so: each trigger, default, constraint and index is compared
//! with sql/install/definitions.txt, which tests/server/definitions.rs writes from a fresh installation.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::server::errors::Result;
use crate::server::own_trigger::DEFINITIONS;
use crate::server::result::{SetOf, returns};
use crate::server::rows::ResultSet;
use crate::server::statement::{Statement, types};

pgrx::extension_sql_file!(
    "../../sql/install/installed_definitions.sql",
    name = "installed_definitions",
    requires = ["due_reads"]
);

returns!(
    /// Definitions that are not as install() makes them.
    AlteredDefinitions: SetOf, "TABLE (kind text, relation text, name text, expected text, actual text)"
);

/// The triggers, defaults, constraints and indexes of ours that are not as install() makes them. actual is NULL where
/// there is none of that name, expected for a trigger that calls a function of ours a second time. install() puts
/// triggers and defaults right, and reports the others.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn altered_definitions() -> Result<SetOf<AlteredDefinitions>> {
    Ok(SetOf::statement(ALTERED.read_rows(&made())?))
}

/// As `altered_definitions` has it, as of now: with what this transaction made.
pub fn altered() -> Result<ResultSet> {
    ALTERED.write_rows(&made())
}

/// The triggers that are not as install() makes them, as the caller's snapshot has it.
pub fn altered_triggers() -> Result<Vec<String>> {
    let altered = ALTERED.read_rows(&made())?;
    let mut triggers = Vec::new();
    for row in altered.rows() {
        if row.not_null::<String>("kind")? == "trigger" {
            triggers.push(row.not_null("name")?);
        }
    }
    Ok(triggers)
}

static ALTERED: Statement = Statement::kept(
    include_str!("../../sql/install/altered_definitions.sql"),
    &[types::TEXTS, types::TEXTS, types::TEXTS, types::TEXTS],
);

fn made() -> [DatumWithOid<'static>; 4] {
    [0, 1, 2, 3].map(|index| {
        let column: Vec<&str> = DEFINITIONS.lines().filter_map(|line| line.split('\t').nth(index)).collect();
        column.into()
    })
}
