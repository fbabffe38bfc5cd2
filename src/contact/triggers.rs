//! The triggers that keep last_contact_date: forward with every inserted activity, recomputed when one is changed or
//! deleted. Owns the order of locks: assignments in id order, before anything is read to decide.

use pgrx::datum::Date;
use pgrx::prelude::*;
use pgrx::spi::SpiResult;
use pgrx::{PgTriggerOperation, Uuid};

use crate::rows::{GivenRow, Triggered, column, misplaced};
use crate::server::errors::{Result, raised};
use crate::server::owner::as_table_owner;
use crate::server::permit::with_permit;
use crate::server::statement::{Statement, first_column, given, no_rows};

/// Sets the contact dates of the assignments whose activities a statement inserted, changed or deleted.
#[pg_trigger]
fn maintain_last_contact_date<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<GivenRow<'a>> {
    raised(maintain(trigger).map(|()| None))
}

/// Keeps the contact date that an assignment was inserted with. A row trigger: only imports give one, and every other
/// insert is spared a statement.
#[pg_trigger]
fn record_imported_contact<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<GivenRow<'a>> {
    raised(record_imported(trigger).map(|()| None))
}

fn maintain(trigger: &PgTrigger) -> Result<()> {
    static CHANGED_BY_UPDATE: Statement = Statement::new(include_str!("../../sql/contact/changed_by_update.sql"), &[]);
    static CHANGED_BY_DELETE: Statement = Statement::new(include_str!("../../sql/contact/changed_by_delete.sql"), &[]);
    static CHANGED_BY_TRUNCATE: Statement =
        Statement::new(include_str!("../../sql/contact/changed_by_truncate.sql"), &[]);

    let operation = trigger.op().map_err(misplaced)?;
    as_table_owner(trigger, || {
        let changed = match operation {
            PgTriggerOperation::Insert => return advance(trigger),
            PgTriggerOperation::Update => &CHANGED_BY_UPDATE,
            PgTriggerOperation::Delete => &CHANGED_BY_DELETE,
            PgTriggerOperation::Truncate => &CHANGED_BY_TRUNCATE,
        };
        recompute(changed.write_in(trigger, first_column)?).map(drop)
    })
}

fn advance(trigger: &PgTrigger) -> Result<()> {
    static LOCK: Statement = Statement::new(include_str!("../../sql/contact/lock_inserted.sql"), &[]);
    static ADVANCE: Statement = Statement::new(
        include_str!("../../sql/contact/advance.sql"),
        &[pg_sys::BuiltinOid::UUIDARRAYOID, pg_sys::BuiltinOid::DATEARRAYOID],
    );
    let (assignments, dates): (Vec<Uuid>, Vec<Date>) = LOCK
        .write_in(trigger, |rows| {
            rows.map(|row| Ok((given::<Uuid>(&row, 1)?, given::<Date>(&row, 2)?))).collect::<SpiResult<Vec<_>>>()
        })?
        .into_iter()
        .unzip();
    if assignments.is_empty() {
        return Ok(());
    }
    with_permit(|| ADVANCE.write(&[assignments.clone().into(), dates.into()], no_rows))?;
    withdraw_follow_ups(assignments, "contacted")
}

/// Sets the contact dates of these assignments to what activities and corrections say. Returns those that it changed, with
/// the date that now holds.
pub fn recompute(assignments: Vec<Uuid>) -> Result<Vec<(Uuid, Option<Date>)>> {
    static RECOMPUTE: Statement =
        Statement::new(include_str!("../../sql/contact/recompute.sql"), &[pg_sys::BuiltinOid::UUIDARRAYOID]);
    if assignments.is_empty() {
        return Ok(Vec::new());
    }
    lock(assignments.clone())?;
    let changed: Vec<(Uuid, Option<Date>)> = with_permit(|| {
        RECOMPUTE.write(&[assignments.into()], |rows| rows.map(|row| Ok((given(&row, 1)?, row.get(2)?))).collect())
    })?;
    withdraw_follow_ups(changed.iter().map(|(id, _)| *id).collect(), "contact_changed")?;
    Ok(changed)
}

/// A contact cancels what is pending for the silence that it ends.
fn withdraw_follow_ups(assignments: Vec<Uuid>, reason: &str) -> Result<()> {
    static LOCK: Statement =
        Statement::new(include_str!("../../sql/contact/lock_follow_ups.sql"), &[pg_sys::BuiltinOid::UUIDARRAYOID]);
    static WITHDRAW: Statement = Statement::new(
        include_str!("../../sql/contact/withdraw.sql"),
        &[pg_sys::BuiltinOid::UUIDARRAYOID, pg_sys::BuiltinOid::TEXTOID],
    );
    if assignments.is_empty() {
        return Ok(());
    }
    let waiting: Vec<Uuid> = LOCK.write(&[assignments.into()], first_column)?;
    if waiting.is_empty() {
        return Ok(());
    }
    WITHDRAW.write(&[waiting.into(), reason.into()], no_rows)
}

/// Locks these assignments and returns those that exist.
pub fn lock(assignments: Vec<Uuid>) -> Result<Vec<Uuid>> {
    static LOCK: Statement =
        Statement::new(include_str!("../../sql/contact/lock.sql"), &[pg_sys::BuiltinOid::UUIDARRAYOID]);
    LOCK.write(&[assignments.into()], first_column)
}

fn record_imported(trigger: &PgTrigger) -> Result<()> {
    static RECORD: Statement = Statement::new(
        include_str!("../../sql/contact/record_imported.sql"),
        &[pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::DATEOID],
    );
    let row = trigger.new().ok_or_else(|| misplaced("it needs the inserted row"))?;
    let id = column::<Uuid, _>(&row, "id")?;
    let organization = column::<Uuid, _>(&row, "organization_id")?;
    let date = column::<Date, _>(&row, "last_contact_date")?;
    as_table_owner(trigger, || RECORD.write(&[id.into(), organization.into(), date.into()], no_rows))
}
