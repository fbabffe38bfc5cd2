//! The triggers that keep last_contact_date: forward with every inserted activity, recomputed when one is changed or
//! deleted. Owns the order of locks: assignments in id order, before anything is read to decide.

use pgrx::datum::Date;
use pgrx::prelude::*;
use pgrx::{PgTriggerOperation, Uuid};

use crate::rows::{Unchanged, unreadable};
use crate::server::errors::Result;
use crate::server::owner::as_table_owner;
use crate::server::permit::with_permit;
use crate::server::statement::{Statement, first_column, no_rows};

/// Sets the contact dates of the assignments whose activities a statement inserted, changed or deleted.
#[pg_trigger]
fn maintain_last_contact_date<'a>(trigger: &'a PgTrigger<'a>) -> Result<Unchanged<'a>> {
    static CHANGED_BY_UPDATE: Statement = Statement::new(include_str!("../../sql/contact/changed_by_update.sql"), &[]);
    static CHANGED_BY_DELETE: Statement = Statement::new(include_str!("../../sql/contact/changed_by_delete.sql"), &[]);
    static CHANGED_BY_TRUNCATE: Statement =
        Statement::new(include_str!("../../sql/contact/changed_by_truncate.sql"), &[]);

    let operation = trigger.op().map_err(unreadable)?;
    as_table_owner(trigger, || {
        let changed = match operation {
            PgTriggerOperation::Insert => return advance(trigger),
            PgTriggerOperation::Update => &CHANGED_BY_UPDATE,
            PgTriggerOperation::Delete => &CHANGED_BY_DELETE,
            PgTriggerOperation::Truncate => &CHANGED_BY_TRUNCATE,
        };
        recompute(changed.write_in(trigger, first_column)?)
    })?;
    Ok(None)
}

fn advance(trigger: &PgTrigger) -> Result<()> {
    static LOCK: Statement = Statement::new(include_str!("../../sql/contact/lock_inserted.sql"), &[]);
    static ADVANCE: Statement = Statement::new(include_str!("../../sql/contact/advance.sql"), &[]);
    LOCK.write_in(trigger, no_rows)?;
    with_permit(|| ADVANCE.write_in(trigger, no_rows))
}

/// Sets the contact dates of these assignments to what activities and corrections say.
pub fn recompute(assignments: Vec<Uuid>) -> Result<()> {
    static RECOMPUTE: Statement =
        Statement::new(include_str!("../../sql/contact/recompute.sql"), &[pg_sys::BuiltinOid::UUIDARRAYOID]);
    if assignments.is_empty() {
        return Ok(());
    }
    lock(assignments.clone())?;
    with_permit(|| RECOMPUTE.write(&[assignments.into()], no_rows))
}

/// Locks these assignments and returns those that exist.
pub fn lock(assignments: Vec<Uuid>) -> Result<Vec<Uuid>> {
    static LOCK: Statement =
        Statement::new(include_str!("../../sql/contact/lock.sql"), &[pg_sys::BuiltinOid::UUIDARRAYOID]);
    LOCK.write(&[assignments.into()], first_column)
}

/// Brings contact dates up to date with what happened while the triggers were away.
pub fn catch_up() -> Result<()> {
    static TOLD_OF: Statement = Statement::new(include_str!("../../sql/contact/catch_up.sql"), &[]);
    recompute(TOLD_OF.write(&[], first_column)?)
}

/// Keeps the contact date that an assignment was inserted with. A row trigger: only imports give one, and every other
/// insert is spared a statement.
#[pg_trigger]
fn record_imported_contact<'a>(trigger: &'a PgTrigger<'a>) -> Result<Unchanged<'a>> {
    static RECORD: Statement = Statement::new(
        include_str!("../../sql/contact/record_imported.sql"),
        &[pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::DATEOID],
    );
    if let Some(row) = trigger.new() {
        let id = row.get_by_name::<Uuid>("id").map_err(unreadable)?;
        let organization = row.get_by_name::<Uuid>("organization_id").map_err(unreadable)?;
        let date = row.get_by_name::<Date>("last_contact_date").map_err(unreadable)?;
        as_table_owner(trigger, || RECORD.write(&[id.into(), organization.into(), date.into()], no_rows))?;
    }
    Ok(None)
}
