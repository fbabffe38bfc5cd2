//! The days on which an assignment was not open, or its mentor before was away: kept as pauses, by triggers.

use pgrx::Uuid;
use pgrx::datum::Date;
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

/// Trigger: an assignment that gets another mentor keeps the days on which the one before was away.
#[pg_trigger]
fn keep_leave<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "keep_leave").and_then(|()| keep_days_away(trigger)).map(|()| None))
}

/// Trigger: so do those of a mentor who is deleted. Before that: after it, the foreign keys have been through both tables.
#[pg_trigger]
fn keep_leave_of_all<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "keep_leave_of_all").and_then(|()| keep_days_away_of_all(trigger)).map(Some))
}

fn keep_days_away_of_all<'a>(trigger: &'a PgTrigger<'a>) -> Result<OriginalRow<'a>> {
    static KEEP: Statement = Statement::by_index(include_str!("../../sql/clock/keep_leave_of_all.sql"), &[types::UUID]);
    let mentor = trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT"))?;
    let id: Uuid = column(&mentor, "id")?;
    as_table_owner(trigger, || KEEP.run(&[id.into()]))?;
    Ok(mentor)
}

fn keep_days_away(trigger: &PgTrigger) -> Result<()> {
    static KEEP: Statement = Statement::by_index(
        include_str!("../../sql/clock/keep_leave.sql"),
        &[types::UUID, types::UUID, types::UUID, types::DATE],
    );
    let row = new_row(trigger)?;
    let old = trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT"))?;
    let (id, organization): (Uuid, Uuid) = (column(&row, "id")?, column(&row, "organization_id")?);
    let mentor: Uuid = column(&old, "peer_mentor_id")?;
    let since = old.get_by_name::<Date>("mentor_since").map_err(wrong_trigger)?;
    as_table_owner(trigger, || KEEP.run(&[id.into(), organization.into(), mentor.into(), since.into()]))
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
