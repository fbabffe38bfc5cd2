//! The days on which an assignment was not open: kept as pauses, by a trigger.

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::server::errors::{Result, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::as_table_owner;
use crate::server::statement::{Statement, types};

/// Trigger: an assignment that is closed pauses from the day after, until the day before it is opened again.
// A row trigger: most updates of assignments, such as that of a contact date, are spared a statement.
#[pg_trigger]
fn keep_closed_days<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "keep_closed_days").and_then(|()| keep(trigger)).map(|()| None))
}

fn keep(trigger: &PgTrigger) -> Result<()> {
    static CLOSE: Statement =
        Statement::by_index(include_str!("../../sql/clock/close.sql"), &[types::UUID, types::UUID]);
    static OPEN: Statement =
        Statement::by_index(include_str!("../../sql/clock/open.sql"), &[types::UUID, types::UUID, types::MOMENT]);
    let row = new_row(trigger)?;
    let old = trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT"))?;
    let (id, organization): (Uuid, Uuid) = (column(&row, "id")?, column(&row, "organization_id")?);
    let is_open = column::<String, _>(&row, "status")? == "open";
    as_table_owner(trigger, || {
        if is_open {
            OPEN.run(&[id.into(), organization.into(), column::<TimestampWithTimeZone, _>(&old, "updated_at")?.into()])
        } else {
            CLOSE.run(&[id.into(), organization.into()])
        }
    })
}
