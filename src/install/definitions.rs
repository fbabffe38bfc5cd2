//! What install() makes beside the rows, and whether it still is so: each trigger, default, constraint and index is compared
//! with sql/install/definitions.txt, which tests/server/definitions.rs writes from a fresh installation.

use std::collections::BTreeSet;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use super::{VIEWS, names_after};
use crate::server::errors::Result;
use crate::server::own_trigger::definitions;
use crate::server::result::{SetOf, returns};
use crate::server::rows::ResultSet;
use crate::server::statement::{Statement, types};

pgrx::extension_sql_file!(
    "../../sql/install/installed_definitions.sql",
    name = "installed_definitions",
    requires = ["history_reads"]
);

returns!(
    /// Definitions that are not as install() makes them.
    AlteredDefinitions: SetOf, "TABLE (kind text, relation text, name text, expected text, actual text)"
);

/// The triggers, defaults of organization_id, constraints, indexes and views of ours that are not as install() makes them
/// (of a view, only whether it is there). actual is NULL where
/// there is none of that name, expected for a trigger that calls a function of ours a second time. install() puts
/// triggers and defaults right, and reports the others.
#[pg_extern(stable)]
fn altered_definitions() -> Result<SetOf<AlteredDefinitions>> {
    Ok(SetOf::statement(ALTERED.read_rows(&made())?))
}

/// As `altered_definitions` has it, as of now: with what this transaction made.
pub fn altered() -> Result<ResultSet> {
    ALTERED.write_rows(&made())
}

/// What is not as install() makes it, as the caller's snapshot has it: triggers, by name, and the others, each as
/// "constraint reminders_pkey on reminders".
pub fn altered_names() -> Result<(Vec<String>, Vec<String>)> {
    let altered = ALTERED.read_rows(&made())?;
    let (mut triggers, mut others) = (Vec::new(), Vec::new());
    for row in altered.rows() {
        let (kind, name): (String, String) = (row.not_null("kind")?, row.not_null("name")?);
        if kind == "trigger" {
            triggers.push(name);
        } else {
            others.push(format!("{kind} {name} on {}", row.not_null::<String>("relation")?));
        }
    }
    Ok((triggers, others))
}

static ALTERED: Statement = Statement::kept(
    include_str!("../../sql/install/altered_definitions.sql"),
    &[types::TEXTS, types::TEXTS, types::TEXTS, types::TEXTS, types::TEXTS],
);

/// Whether none of the triggers that install() makes is there, among what is altered.
pub fn are_all_triggers_away(altered: &ResultSet) -> Result<bool> {
    let mut away = 0;
    for row in altered.rows() {
        away += usize::from(row.not_null::<String>("kind")? == "trigger" && row.get::<String>("actual")?.is_none());
    }
    Ok(away == definitions().filter(|[kind, ..]| *kind == "trigger").count())
}

fn made() -> [DatumWithOid<'static>; 5] {
    let column = |index: usize| -> Vec<&str> { definitions().map(|definition| definition[index]).collect() };
    [column(0).into(), column(1).into(), column(2).into(), column(3).into(), view_names().into()]
}

/// The views that install() makes.
pub fn view_names() -> Vec<&'static str> {
    names_after(VIEWS, "CREATE OR REPLACE VIEW assignment_reminders.").collect()
}

/// The tables that install() makes.
pub fn table_names() -> Vec<&'static str> {
    definitions().map(|[_, relation, ..]| relation).collect::<BTreeSet<_>>().into_iter().collect()
}
