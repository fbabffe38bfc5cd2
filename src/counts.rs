//! The mentors' assignment counts: kept by a trigger per statement, verified and repaired on demand.

use std::collections::BTreeMap;

use pgrx::prelude::*;
use pgrx::{PgTriggerOperation, Uuid};

use crate::row_triggers::{OriginalRow, Triggered};
use crate::server::errors::{Result, raised, require_written, wrong_trigger};
use crate::server::own_trigger;
use crate::server::owner::as_table_owner;
use crate::server::permit::with_permit;
use crate::server::result::{SetOf, returns};
use crate::server::row_security::Whole;
use crate::server::rows::{ResultSet, Rows};
use crate::server::statement::{Statement, types};
use crate::server::transition::{self, Side};

pgrx::extension_sql_file!("../sql/counts/verify.sql", name = "verify_assignment_counts", requires = ["recipients"]);

/// Differences to mentors' counts, in id order: the order in which their rows are locked.
type Differences = BTreeMap<Uuid, i32>;

/// Trigger: adds to each mentor's count what a statement on assignments changed, so that peer_mentors.assignment_count
/// equals count(*) at every commit.
#[pg_trigger]
fn maintain_assignment_count<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(maintain(trigger).map(|()| None))
}

fn maintain(trigger: &PgTrigger) -> Result<()> {
    own_trigger::require(trigger, "maintain_assignment_count")?;
    let operation = trigger.op().map_err(wrong_trigger)?;
    as_table_owner(trigger, || {
        let mut differences = Differences::new();
        let mut count = |side, difference| {
            transition::for_each(trigger, side, "peer_mentor_id", |mentor: Uuid| {
                *differences.entry(mentor).or_insert(0) += difference;
            })
        };
        match operation {
            PgTriggerOperation::Insert => count(Side::New, 1)?,
            PgTriggerOperation::Delete => count(Side::Old, -1)?,
            PgTriggerOperation::Update => {
                count(Side::New, 1)?;
                count(Side::Old, -1)?;
            }
            PgTriggerOperation::Truncate => differences = counted_away()?,
        }
        // Most updates change no mentor, and lock none.
        differences.retain(|_, difference| *difference != 0);
        add(&differences)
    })
}

/// No assignment is left: every count is taken back to zero.
fn counted_away() -> Result<Differences> {
    static COUNTED: Statement = Statement::kept(include_str!("../sql/counts/change_by_truncate.sql"), &[]);
    COUNTED.write(&[], |rows| rows.map(|row| Ok((row.not_null("id")?, row.not_null("difference")?))).collect())
}

fn add(differences: &Differences) -> Result<()> {
    static ADD_TO_ONE: Statement =
        Statement::by_index(include_str!("../sql/counts/add_to_one.sql"), &[types::UUID, types::INT]);
    static LOCK: Statement = Statement::by_index(include_str!("../sql/counts/lock.sql"), &[types::UUIDS]);
    static ADD: Statement = Statement::by_index(include_str!("../sql/counts/add.sql"), &[types::UUIDS, types::INTS]);

    let (mentors, changes): (Vec<Uuid>, Vec<i32>) = differences.iter().unzip();
    match (mentors.as_slice(), changes.as_slice()) {
        ([], _) => Ok(()),
        (&[mentor], &[change]) if !own_trigger::has_foreign_before_update("peer_mentors") => {
            with_permit(|| ADD_TO_ONE.run(&[mentor.into(), change.into()]))
        }
        _ => {
            let before = LOCK.write(&[mentors.clone().into()], counts)?;
            let after = with_permit(|| ADD.write(&[mentors.into(), changes.into()], counts))?;
            let is_as_told = |(mentor, count): &(&Uuid, &i32)| {
                after.get(mentor) == Some(&(*count + differences.get(mentor).copied().unwrap_or(0)))
            };
            let written = before.iter().filter(is_as_told).count();
            require_written("peer_mentors", "assignment_count", before.len(), written)
        }
    }
}

fn counts(rows: Rows) -> Result<BTreeMap<Uuid, i32>> {
    rows.map(|row| Ok((row.not_null("id")?, row.not_null("assignment_count")?))).collect()
}

returns!(
    /// Counts that were repaired.
    RepairedCounts: SetOf,
    "TABLE (organization_id uuid, peer_mentor_id uuid, wrong_count integer, actual_count integer)"
);

/// Writes the true counts over wrong ones and returns both; nothing when all are right: for after writes that bypassed
/// triggers. Waits for transactions that have counted but not committed.
#[pg_extern(volatile)]
fn repair_assignment_counts() -> Result<SetOf<RepairedCounts>> {
    const WHOLE: Whole = Whole { updates: &["peer_mentors"], ..Whole::reads(&["peer_mentors", "assignments"]) };
    WHOLE.require()?;
    repair().map(SetOf::statement)
}

pub fn repair() -> Result<ResultSet> {
    static LOCK: Statement = Statement::kept(include_str!("../sql/counts/lock_all.sql"), &[]);
    static REPAIR: Statement = Statement::kept(include_str!("../sql/counts/repair.sql"), &[]);
    static LEFT: Statement =
        Statement::kept("SELECT count(*) AS wrong FROM assignment_reminders.verify_assignment_counts()", &[]);
    LOCK.run(&[])?;
    let repaired = with_permit(|| REPAIR.write_rows(&[]))?;
    if own_trigger::has_foreign_before_update("peer_mentors") {
        let left: i64 = LEFT.write(&[], |rows| rows.one("wrong"))?.unwrap_or(0);
        let wrong = repaired.rows().count() + usize::try_from(left).unwrap_or(usize::MAX);
        require_written("peer_mentors", "assignment_count", wrong, repaired.rows().count())?;
    }
    Ok(repaired)
}
