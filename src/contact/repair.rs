//! Contact dates after writes that bypassed the triggers: verified and repaired on demand.

use std::collections::HashMap;

use pgrx::Uuid;
use pgrx::datum::Date;
use pgrx::prelude::*;

use super::triggers::recompute;
use crate::server::errors::Result;
use crate::server::statement::{Statement, given};

pgrx::extension_sql_file!(
    "../../sql/contact/verify.sql",
    name = "verify_contact_dates",
    requires = ["verify_assignment_counts"]
);

type Repaired = (Option<Uuid>, Option<Uuid>, Option<Date>, Option<Date>);

/// Sets contact dates to what activities and corrections say where they differ, and returns both; nothing when all are
/// right. Follow-ups that wait for a silence that was none are withdrawn, as by a contact.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn repair_contact_dates() -> Result<
    TableIterator<
        'static,
        (
            name!(organization_id, Option<Uuid>),
            name!(assignment_id, Option<Uuid>),
            name!(wrong_date, Option<Date>),
            name!(actual_date, Option<Date>),
        ),
    >,
> {
    Ok(TableIterator::new(repair()?))
}

pub fn repair() -> Result<Vec<Repaired>> {
    static WRONG: Statement = Statement::new(
        "SELECT organization_id, assignment_id, last_contact_date FROM assignment_reminders.verify_contact_dates()",
        &[],
    );
    let wrong: Vec<(Uuid, Uuid, Option<Date>)> =
        WRONG.write(&[], |rows| rows.map(|row| Ok((given(&row, 1)?, given(&row, 2)?, row.get(3)?))).collect())?;
    let mut actual: HashMap<Uuid, Option<Date>> =
        recompute(wrong.iter().map(|(_, id, _)| *id).collect())?.into_iter().collect();
    // One that somebody mended meanwhile is not ours to tell of.
    Ok(wrong
        .into_iter()
        .filter_map(|(organization, id, wrong)| Some((Some(organization), Some(id), wrong, actual.remove(&id)?)))
        .collect())
}
