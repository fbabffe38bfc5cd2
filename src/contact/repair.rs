//! Contact dates after writes that bypassed the triggers: repaired on demand. What is wrong is found by sql/contact/verify.sql.

use std::collections::HashMap;

use pgrx::Uuid;
use pgrx::datum::Date;
use pgrx::prelude::*;

use super::triggers::recompute;
use crate::rules::delivery::SkipReason;
use crate::server::errors::Result;
use crate::server::result::{SetOf, Value, returns, value};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

returns!(
    /// Contact dates that were repaired.
    RepairedDates: SetOf, "TABLE (organization_id uuid, assignment_id uuid, wrong_date date, actual_date date)"
);

/// Sets contact dates to what activities and corrections say where they differ, and returns both; nothing when all are
/// right. Follow-ups that wait for a silence that was none are withdrawn, as by a contact.
#[pg_extern(volatile)]
fn repair_contact_dates() -> Result<SetOf<RepairedDates>> {
    const WHOLE: Whole = Whole {
        updates: &["assignments", "reminders"],
        ..Whole::reads(&["organizations", "assignments", "activities", "contact_corrections", "reminders"])
    };
    WHOLE.require()?;
    repair().map(SetOf::values)
}

/// What forget_overruling would have done while it was away, or before there was one; the triggers see to the dates. Returns how many
/// activities count again.
pub fn release_moved() -> Result<usize> {
    static MOVED: Statement = Statement::at_each_call(include_str!("../../sql/contact/moved.sql"), &[]);
    static RELEASE: Statement =
        Statement::by_index(include_str!("../../sql/contact/release_moved.sql"), &[types::UUIDS]);
    let moved: Vec<Uuid> = MOVED.write(&[], |rows| rows.column("id"))?;
    // There mostly are none: their table is not written then.
    if moved.is_empty() {
        return Ok(0);
    }
    RELEASE.write(&[moved.into()], |rows| Ok(rows.count()))
}

/// Repairs them, and returns the columns of RepairedDates for each.
pub fn repair() -> Result<Vec<[Value; 4]>> {
    static WRONG: Statement = Statement::kept(
        "SELECT organization_id, assignment_id, last_contact_date FROM assignment_reminders.verify_contact_dates()",
        &[],
    );
    let wrong = WRONG.write_rows(&[])?;
    let ids: Result<Vec<Uuid>> = wrong.rows().map(|row| row.not_null("assignment_id")).collect();
    let actual: HashMap<Uuid, Option<Date>> = recompute(ids?, SkipReason::ContactChanged)?.into_iter().collect();

    let mut repaired = Vec::new();
    for row in wrong.rows() {
        let id: Uuid = row.not_null("assignment_id")?;
        // One that somebody else repaired meanwhile is not in it.
        if let Some(actual) = actual.get(&id) {
            repaired.push([
                value("organization_id", row.not_null::<Uuid>("organization_id")?),
                value("assignment_id", id),
                value("wrong_date", row.get::<Date>("last_contact_date")?),
                value("actual_date", *actual),
            ]);
        }
    }
    Ok(repaired)
}
