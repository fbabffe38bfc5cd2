//! The mentors' assignment counts: kept by a trigger per statement, verified and repaired on demand.

use pgrx::prelude::*;
use pgrx::spi::{SpiResult, SpiTupleTable};
use pgrx::{PgTriggerOperation, Uuid};

use crate::rows::{GivenRow, Triggered, misplaced};
use crate::server::errors::{Result, raised};
use crate::server::owner::as_table_owner;
use crate::server::permit::with_permit;
use crate::server::statement::{Statement, columns, no_rows};

pgrx::extension_sql_file!("../sql/counts/verify.sql", name = "verify_assignment_counts");

/// Adds to each mentor's count what a statement on assignments changed.
#[pg_trigger]
fn maintain_assignment_count<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<GivenRow<'a>> {
    raised(count(trigger).map(|()| None))
}

fn count(trigger: &PgTrigger) -> Result<()> {
    static BY_INSERT: Statement = Statement::new(include_str!("../sql/counts/change_by_insert.sql"), &[]);
    static BY_UPDATE: Statement = Statement::new(include_str!("../sql/counts/change_by_update.sql"), &[]);
    static BY_DELETE: Statement = Statement::new(include_str!("../sql/counts/change_by_delete.sql"), &[]);
    static BY_TRUNCATE: Statement = Statement::new(include_str!("../sql/counts/change_by_truncate.sql"), &[]);
    static ADD: Statement = Statement::new(
        include_str!("../sql/counts/add.sql"),
        &[pg_sys::BuiltinOid::UUIDARRAYOID, pg_sys::BuiltinOid::INT4ARRAYOID],
    );

    let change = match trigger.op().map_err(misplaced)? {
        PgTriggerOperation::Insert => &BY_INSERT,
        PgTriggerOperation::Update => &BY_UPDATE,
        PgTriggerOperation::Delete => &BY_DELETE,
        PgTriggerOperation::Truncate => &BY_TRUNCATE,
    };
    as_table_owner(trigger, || {
        let (mentors, differences) = change.write_in(trigger, changes)?;
        if mentors.is_empty() {
            return Ok(());
        }
        with_permit(|| ADD.write(&[mentors.into(), differences.into()], no_rows))
    })
}

/// Mentors and the differences to their counts.
fn changes(rows: SpiTupleTable) -> SpiResult<(Vec<Uuid>, Vec<i32>)> {
    let mut changes = (Vec::new(), Vec::new());
    for row in rows {
        changes.0.extend(row.get::<Uuid>(1)?);
        changes.1.extend(row.get::<i32>(2)?);
    }
    Ok(changes)
}

/// Writes the true counts over wrong ones and returns both; nothing when all are right. Waits for transactions that
/// have counted but not committed.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn repair_assignment_counts() -> Result<
    TableIterator<
        'static,
        (
            name!(organization_id, Option<Uuid>),
            name!(peer_mentor_id, Option<Uuid>),
            name!(wrong_count, Option<i32>),
            name!(actual_count, Option<i32>),
        ),
    >,
> {
    Ok(TableIterator::new(repair()?))
}

type Repaired = (Option<Uuid>, Option<Uuid>, Option<i32>, Option<i32>);

pub fn repair() -> Result<Vec<Repaired>> {
    static LOCK: Statement = Statement::new(include_str!("../sql/counts/lock_all.sql"), &[]);
    static REPAIR: Statement = Statement::new(include_str!("../sql/counts/repair.sql"), &[]);
    LOCK.write(&[], no_rows)?;
    with_permit(|| REPAIR.write(&[], |rows| rows.map(|row| Ok(columns!(row; 1 2 3 4))).collect()))
}
