//! The triggers that keep last_contact_date: forward with every inserted activity, recomputed when one is changed or
//! deleted. Owns the order of locks: assignments in id order, before anything is read to decide.

use std::cell::RefCell;
use std::collections::HashSet;

use pgrx::datum::Date;
use pgrx::datum::datetime_support::now;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pgbox::AllocatedByRust;
use pgrx::prelude::*;
use pgrx::{PgTriggerOperation, Uuid, WhoAllocated};

use super::asked::{self, Direction};
use super::correction::refuse_future;
use super::signed::{self, Signed};
use crate::clock;
use crate::history;
use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::rules::delivery::SkipReason;
use crate::rules::kind::Follows;
use crate::server::calendar::{nearest_date, nearest_moment};
use crate::server::errors::{Result, raised, require_written, unknown, wrong_trigger};
use crate::server::own_trigger;
use crate::server::owner::{as_table_owner, session_user};
use crate::server::permit::with_permit;
use crate::server::statement::{Statement, types};
use crate::server::transaction::{Memory, remembered};

/// Trigger: sets the contact dates of the assignments whose activities a statement inserted, changed or deleted.
#[pg_trigger]
fn maintain_last_contact_date<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(maintain(trigger).map(|()| None))
}

/// Trigger: an activity that is moved to another assignment is no longer overruled, where the writer did not say by what.
#[pg_trigger]
fn forget_overruling<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(own_trigger::require(trigger, "forget_overruling").and_then(|()| counting(trigger)))
}

/// Trigger: keeps the contact date that an assignment was inserted with, as a correction.
// A row trigger: only imports give one, and every other insert is spared a statement.
#[pg_trigger]
fn record_imported_contact<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(record_imported(trigger).map(|()| None))
}

thread_local! {
    /// The assignments whose date something other than an inserted activity has set in this transaction: what a statement inserted may
    /// no longer be what holds of them.
    static RECOMPUTED: Memory<HashSet<[u8; 16]>> = RefCell::default();
}

fn was_recomputed(assignment: &Uuid) -> bool {
    remembered(&RECOMPUTED, |recomputed| recomputed.contains(assignment.as_bytes()))
}

fn maintain(trigger: &PgTrigger) -> Result<()> {
    static CHANGED_BY_UPDATE: Statement =
        Statement::by_index(include_str!("../../sql/contact/changed_by_update.sql"), &[]);
    static CHANGED_BY_DELETE: Statement =
        Statement::by_index(include_str!("../../sql/contact/changed_by_delete.sql"), &[]);
    static CHANGED_BY_DELETED_CORRECTIONS: Statement =
        Statement::by_index(include_str!("../../sql/contact/changed_by_deleted_corrections.sql"), &[]);
    static CHANGED_BY_TRUNCATE: Statement =
        Statement::kept(include_str!("../../sql/contact/changed_by_truncate.sql"), &[]);

    static INSERTED: Statement = Statement::by_index(include_str!("../../sql/contact/inserted.sql"), &[]);

    own_trigger::require(trigger, "maintain_last_contact_date")?;
    let operation = trigger.op().map_err(wrong_trigger)?;
    let is_of_corrections = trigger.name().map_err(wrong_trigger)?.starts_with("contact_corrections_");
    as_table_owner(trigger, || {
        let (changed, reason) = match operation {
            PgTriggerOperation::Insert => {
                advance(trigger)?;
                // A trigger of the owner's, a function in RETURNING or another part of the statement may have changed, deleted
                // or overruled by now what the statement inserted: then the end state counts.
                if remembered(&RECOMPUTED, |recomputed| recomputed.is_empty()) {
                    return Ok(());
                }
                (&INSERTED, SkipReason::Contacted)
            }
            PgTriggerOperation::Update => (&CHANGED_BY_UPDATE, SkipReason::ContactChanged),
            PgTriggerOperation::Delete if is_of_corrections => {
                (&CHANGED_BY_DELETED_CORRECTIONS, SkipReason::ContactChanged)
            }
            PgTriggerOperation::Delete => (&CHANGED_BY_DELETE, SkipReason::ContactChanged),
            PgTriggerOperation::Truncate => (&CHANGED_BY_TRUNCATE, SkipReason::ContactChanged),
        };
        let mut changed: Vec<Uuid> = changed.write_in(trigger, |rows| rows.column("assignment_id"))?;
        if matches!(operation, PgTriggerOperation::Insert) {
            changed.retain(was_recomputed);
        }
        recompute(changed, reason).map(drop)
    })
}

/// What the correction said was of the assignment that the activity leaves. It counts for the other as one that is registered there now.
fn counting<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    row.set_by_name("overruled_by", None::<Uuid>).map_err(wrong_trigger)?;
    Ok(Some(row))
}

fn advance(trigger: &PgTrigger) -> Result<()> {
    static LOCK: Statement = Statement::by_index(include_str!("../../sql/contact/lock_inserted.sql"), &[]);
    static ADVANCE: Statement =
        Statement::by_index(include_str!("../../sql/contact/advance.sql"), &[types::UUIDS, types::DATES]);
    let (assignments, dates): (Vec<Uuid>, Vec<Date>) = LOCK
        .write_in(trigger, |rows| {
            rows.map(|row| Ok((row.not_null("id")?, row.not_null("contact_date")?)))
                .collect::<Result<Vec<(Uuid, Date)>>>()
        })?
        .into_iter()
        .unzip();
    if assignments.is_empty() {
        return Ok(());
    }
    let written: Vec<bool> =
        with_permit(|| ADVANCE.write(&[assignments.clone().into(), dates.into()], |rows| rows.column("is_as_told")))?;
    let written = written.into_iter().filter(|&is_as_told| is_as_told).count();
    require_written("assignments", "last_contact_date", assignments.len(), written)?;
    withdraw_follow_ups(assignments, SkipReason::Contacted)
}

/// Sets the contact dates of these assignments to what activities and corrections say; the follow-ups that wait for a silence
/// that was another are withdrawn for this reason. Returns those that it changed, with the date that now holds.
pub fn recompute(assignments: Vec<Uuid>, reason: SkipReason) -> Result<Vec<(Uuid, Option<Date>)>> {
    static RECOMPUTE: Statement = Statement::by_index(include_str!("../../sql/contact/recompute.sql"), &[types::UUIDS]);
    if assignments.is_empty() {
        return Ok(Vec::new());
    }
    remembered(&RECOMPUTED, |recomputed| {
        recomputed.extend(assignments.iter().map(|assignment| *assignment.as_bytes()));
    });
    lock(assignments.clone())?;
    let recomputed = with_permit(|| RECOMPUTE.write_rows(&[assignments.into()]))?;
    let (mut changed, mut rows): (Vec<(Uuid, Option<Date>)>, usize) = (Vec::new(), 0);
    for row in recomputed.rows() {
        rows += 1;
        if let (Some(id), true) = (row.get("id")?, row.not_null("is_as_told")?) {
            changed.push((id, row.get("contact_date")?));
        }
    }
    require_written("assignments", "last_contact_date", rows, changed.len())?;
    withdraw_follow_ups(changed.iter().map(|(id, _)| *id).collect(), reason)?;
    Ok(changed)
}

/// A contact cancels what is pending for the silence that it ends.
fn withdraw_follow_ups(assignments: Vec<Uuid>, reason: SkipReason) -> Result<()> {
    static LOCK: Statement =
        Statement::by_index(include_str!("../../sql/contact/lock_follow_ups.sql"), &[types::UUIDS, types::TEXTS]);
    static WITHDRAW: Statement =
        Statement::by_index(include_str!("../../sql/contact/withdraw.sql"), &[types::UUIDS, types::TEXT]);
    if assignments.is_empty() {
        return Ok(());
    }
    let waiting: Vec<Uuid> =
        LOCK.write(&[assignments.into(), Follows::Silence.reminder_types().into()], |rows| rows.column("id"))?;
    if waiting.is_empty() {
        return Ok(());
    }
    history::withdrawing(|| WITHDRAW.run(&[waiting.into(), reason.name().into()]))
}

/// Locks these assignments in id order.
pub fn lock(assignments: Vec<Uuid>) -> Result<()> {
    static LOCK: Statement = Statement::by_index(include_str!("../../sql/contact/lock.sql"), &[types::UUIDS]);
    LOCK.run(&[assignments.into()])
}

fn record_imported(trigger: &PgTrigger) -> Result<()> {
    static RECORD: Statement = Statement::by_index(
        include_str!("../../sql/contact/record_imported.sql"),
        &[types::UUID, types::UUID, types::DATE, types::TEXT],
    );
    own_trigger::require(trigger, "record_imported_contact")?;
    let row = new_row(trigger)?;
    let id = column::<Uuid, _>(&row, "id")?;
    let organization = column::<Uuid, _>(&row, "organization_id")?;
    let date = column::<Date, _>(&row, "last_contact_date")?;
    as_table_owner(trigger, || {
        // Nearly all are past; only of the others is it worth asking what day it is there.
        if nearest_date(date) > nearest_moment(now()).date_naive() {
            refuse_future(date, today(organization)?)?;
        }
        let corrected_by = session_user();
        signed::expect(
            id,
            0,
            Signed {
                previous_date: None,
                new_date: Some(date),
                corrected_by: corrected_by.clone(),
                subject: None,
                created_at: now(),
            },
        );
        let arguments = [id.into(), organization.into(), date.into(), corrected_by.into()];
        let applied = asked::applied(id, Direction::Either, || with_permit(|| RECORD.run(&arguments)))?;
        require_written("contact_corrections", "new_date", 1, usize::from(applied))?;
        // What a function in RETURNING has done with the assignment did not know of it.
        if was_recomputed(&id) {
            recompute(vec![id], SkipReason::ContactChanged)?;
        }
        Ok(())
    })
}

fn today(organization: Uuid) -> Result<Date> {
    clock::today(organization)?.ok_or_else(|| unknown("organization", "organizations", organization))
}
