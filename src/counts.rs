//! The mentors' assignment counts: kept by a trigger per statement, verified and repaired on demand.

use pgrx::prelude::*;
use pgrx::{PgTriggerOperation, Uuid};

use crate::rows::{GivenRow, Triggered, misplaced};
use crate::server::errors::{Result, raised};
use crate::server::owner::as_table_owner;
use crate::server::permit::with_permit;
use crate::server::statement::{Statement, no_rows};

pgrx::extension_sql_file!("../sql/counts/verify.sql", name = "verify_assignment_counts");

/// Adds to each mentor's count what a statement on assignments changed.
#[pg_trigger]
fn maintain_assignment_count<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<GivenRow<'a>> {
    raised(count(trigger).map(|()| None))
}

fn count(trigger: &PgTrigger) -> Result<()> {
    static INSERTED: Statement = Statement::new(include_str!("../sql/counts/add_inserted.sql"), &[]);
    static UPDATED: Statement = Statement::new(include_str!("../sql/counts/move_updated.sql"), &[]);
    static DELETED: Statement = Statement::new(include_str!("../sql/counts/subtract_deleted.sql"), &[]);
    static TRUNCATED: Statement = Statement::new(include_str!("../sql/counts/zero_truncated.sql"), &[]);

    let statement = match trigger.op().map_err(misplaced)? {
        PgTriggerOperation::Insert => &INSERTED,
        PgTriggerOperation::Update => &UPDATED,
        PgTriggerOperation::Delete => &DELETED,
        PgTriggerOperation::Truncate => &TRUNCATED,
    };
    as_table_owner(trigger, || with_permit(|| statement.write_in(trigger, no_rows)))
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
    with_permit(|| {
        REPAIR.write(&[], |rows| rows.map(|row| Ok((row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))).collect())
    })
}
