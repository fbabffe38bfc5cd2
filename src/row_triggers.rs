//! Single-row triggers: they adjust a row or refuse it. Their WHEN clauses (triggers.sql) decide when they are called.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;

use pgrx::datum::UnboxDatum;
use pgrx::datum::datetime_support::now;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::TransactionId;
use pgrx::pgbox::{AllocatedByPostgres, AllocatedByRust};
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, PgSqlErrorCode, Uuid, WhoAllocated};

use crate::install::migrations;
use crate::rules::completion::{Adjustment, Completion, reconcile};
use crate::server::errors::{Result, error, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::as_table_owner;
use crate::server::permit;
use crate::server::statement::{Statement, types};
use crate::server::transaction::{Memory, part, remembered, was_rolled_back};

/// What a trigger function returns: a row or nothing. Its errors have been raised by then.
pub type Triggered<Row> = Result<Option<Row>, Infallible>;
/// A row as Postgres gave it to the trigger.
pub type OriginalRow<'a> = PgHeapTuple<'a, AllocatedByPostgres>;

/// Trigger: sets updated_at to now, where the writer did not set it.
#[pg_trigger]
fn set_updated_at<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "set_updated_at").and_then(|()| with_updated_at(trigger)))
}

/// Trigger: makes completed and status agree: the one that was written leads. Keeps when it was completed.
#[pg_trigger]
fn sync_completed<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "sync_completed").and_then(|()| reconciled(trigger)))
}

/// Trigger: forgets the soft bounces of an address that is replaced.
#[pg_trigger]
fn forget_bounces<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "forget_bounces").and_then(|()| without_bounces(trigger)))
}

/// Trigger: notes when what calls for follow-ups was changed.
#[pg_trigger]
fn note_changed_thresholds<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "note_changed_thresholds").and_then(|()| changed_now(trigger, "thresholds_changed_at")))
}

/// Trigger: notes when a person asked for summaries, or for another hour, where the writer did not say when.
#[pg_trigger]
fn note_changed_summary<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "note_changed_summary").and_then(|()| changed_now(trigger, "summary_changed_at")))
}

/// Trigger: a reminder that somebody makes pending again after it was sent is sent once more, in another episode and by another key.
#[pg_trigger]
fn begin_episode<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "begin_episode").and_then(|()| in_another_episode(trigger)))
}

/// Trigger: refuses a count that did not come from maintain_assignment_count. 428C9.
#[pg_trigger]
fn protect_assignment_count<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(protect(
        trigger,
        "protect_assignment_count",
        "assignment_count",
        "peer mentor",
        "Payments rely on this count, so it is kept by triggers on assignments and equals count(*) at every commit.",
        "Leave the column out. If the count is wrong, call assignment_reminders.repair_assignment_counts().",
    ))
}

/// Trigger: refuses a contact date that did not come from activities or a correction. 428C9.
#[pg_trigger]
fn protect_last_contact_date<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(protect(
        trigger,
        "protect_last_contact_date",
        "last_contact_date",
        "assignment",
        "The contact date follows from the activities, and corrections are kept with their reason.",
        "Insert an activity, or call assignment_reminders.update_last_contact_date() to move the date forward, \
         or assignment_reminders.correct_last_contact_date() to correct it.",
    ))
}

/// Trigger: refuses an activity more than a day ahead. 22008.
#[pg_trigger]
fn refuse_future_activity<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "refuse_future_activity").and_then(|()| new_row(trigger)).and_then(|row| {
        let occurred_at = column::<TimestampWithTimeZone, _>(&row, "occurred_at")?;
        Err(error(
            PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
            format!("an activity cannot have occurred at {occurred_at}, more than a day ahead"),
            "A contact in the future would keep its assignment from being followed up.",
            "Give the time at which the contact took place; register planned contacts when they have happened.",
        ))
    }))
}

/// Trigger: refuses to change a history, but to forget_person(). 2F002.
#[pg_trigger]
fn refuse_update<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "refuse_update").and_then(|()| {
        if permit::is_held() {
            return new_row(trigger).map(Some);
        }
        let table = trigger.table_name().map_err(wrong_trigger)?;
        Err(error(
            PgSqlErrorCode::ERRCODE_S_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED,
            format!("rows of {table} cannot be changed"),
            "The table is a history: what was written stays as it was.",
            "Insert a new row instead, or call assignment_reminders.forget_person() to forget a person.",
        ))
    }))
}

/// Trigger: refuses a mentor with the id of one that was deleted in the same transaction. What was counted on the one would be
/// taken from the other. 27000.
#[pg_trigger]
fn refuse_reused_id<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "refuse_reused_id").and_then(|()| once(trigger)))
}

fn once<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<OriginalRow<'a>>> {
    thread_local! {
        /// The ids, with the part of the transaction that deleted them.
        static DELETED: Memory<HashMap<[u8; 16], TransactionId>> = RefCell::default();
    }
    if let Some(old) = trigger.old() {
        let id = column::<Uuid, _>(&old, "id")?;
        remembered(&DELETED, |deleted| deleted.insert(*id.as_bytes(), part()));
        return Ok(Some(old));
    }
    let id = column::<Uuid, _>(&new_row(trigger)?, "id")?;
    let deleted_by = remembered(&DELETED, |deleted| deleted.get(id.as_bytes()).copied());
    if deleted_by.is_none_or(was_rolled_back) {
        return Ok(None);
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION,
        format!("mentor {id} was deleted in this transaction and cannot come back in it"),
        "What was counted on the one would be taken from the other.",
        "Update the row instead, give the new one another id, or insert it in a transaction of its own.",
    ))
}

/// Trigger: refuses another id for a mentor or an assignment, on which counts and histories rest. 428C9.
#[pg_trigger]
fn refuse_new_id<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "refuse_new_id").and_then(|()| {
        let table = trigger.table_name().map_err(wrong_trigger)?;
        let old = trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT or to a statement"))?;
        let id = column::<Uuid, _>(&old, "id")?;
        Err(error(
            PgSqlErrorCode::ERRCODE_GENERATED_ALWAYS,
            format!("the id {id} of a row of {table} cannot be changed"),
            "Counts, contact dates, reminders and their history belong to the id.",
            "Insert a row with the other id, move to it what belongs to it, and delete this one.",
        ))
    }))
}

fn with_updated_at<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    if !migrations::is_at_work() {
        row.set_by_name("updated_at", now()).map_err(wrong_trigger)?;
    }
    Ok(Some(row))
}

fn without_bounces<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    row.set_by_name("soft_bounces", 0).map_err(wrong_trigger)?;
    row.set_by_name("soft_bounced_at", Vec::<TimestampWithTimeZone>::new()).map_err(wrong_trigger)?;
    Ok(Some(row))
}

fn changed_now<'a>(trigger: &'a PgTrigger<'a>, column: &str) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    row.set_by_name(column, now()).map_err(wrong_trigger)?;
    Ok(Some(row))
}

fn in_another_episode<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    let episode: i32 = column(&row, "episode")?;
    row.set_by_name("episode", episode.saturating_add(1)).map_err(wrong_trigger)?;
    let old = trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT or to a statement"))?;
    let had = old.get_by_name::<Uuid>("claim_id").map_err(wrong_trigger)?;
    let has = row.get_by_name::<Uuid>("claim_id").map_err(wrong_trigger)?;
    if had.map(|id| *id.as_bytes()) == has.map(|id| *id.as_bytes()) {
        // Whoever had it had the episode before.
        row.set_by_name("claim_id", None::<Uuid>).map_err(wrong_trigger)?;
        row.set_by_name("claimed_until", None::<TimestampWithTimeZone>).map_err(wrong_trigger)?;
        row.set_by_name("claimed_email", None::<String>).map_err(wrong_trigger)?;
    }
    Ok(Some(row))
}

fn reconciled<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    let (status, completed) = (column::<String, _>(&row, "status")?, column(&row, "completed")?);
    let old = match trigger.old() {
        Some(old) => Some((column::<String, _>(&old, "status")?, column(&old, "completed")?)),
        None => stored_completion(trigger, column(&row, "id")?)?,
    };
    let old = old.as_ref().map(|(status, completed)| Completion { status, completed: *completed });
    match reconcile(old, Completion { status: &status, completed }) {
        Adjustment::Nothing => {}
        Adjustment::SetStatus(status) => row.set_by_name("status", status).map_err(wrong_trigger)?,
        Adjustment::SetCompleted(completed) => row.set_by_name("completed", completed).map_err(wrong_trigger)?,
    }
    let completed = column::<bool, _>(&row, "completed")?;
    let completed_at = row.get_by_name::<TimestampWithTimeZone>("completed_at").map_err(wrong_trigger)?;
    if completed != completed_at.is_some() {
        row.set_by_name("completed_at", completed.then(now)).map_err(wrong_trigger)?;
    }
    Ok(Some(row))
}

/// What the row says already that is inserted with this id, as an upsert of the whole row does. It is the proposed row that Postgres
/// then writes to it, as adjusted here.
fn stored_completion(trigger: &PgTrigger, id: Uuid) -> Result<Option<(String, bool)>> {
    static STORED: Statement = Statement::by_index(
        "SELECT a.status, a.completed FROM assignment_reminders.assignments a WHERE a.id = $1",
        &[types::UUID],
    );
    as_table_owner(trigger, || {
        STORED.read(&[id.into()], |mut rows| {
            let Some(row) = rows.next() else { return Ok(None) };
            Ok(Some((row.not_null("status")?, row.not_null("completed")?)))
        })
    })
}

fn protect<'a>(
    trigger: &'a PgTrigger<'a>,
    function: &str,
    name: &str,
    what: &str,
    detail: &str,
    hint: &str,
) -> Result<Option<OriginalRow<'a>>> {
    require(trigger, function)?;
    let row = new_row(trigger)?;
    if permit::is_held() {
        return Ok(Some(row));
    }
    let id = column::<Uuid, _>(&row, "id")?;
    let message = format!("{name} of {what} {id} cannot be written directly");
    Err(error(PgSqlErrorCode::ERRCODE_GENERATED_ALWAYS, message, detail, hint))
}

pub fn new_row<'a>(trigger: &'a PgTrigger<'a>) -> Result<OriginalRow<'a>> {
    trigger.new().ok_or_else(|| wrong_trigger("it was attached to a DELETE or to a statement"))
}

/// A column that the WHEN clauses and the tables' constraints keep from being NULL.
pub fn column<T, Memory>(row: &PgHeapTuple<'_, Memory>, name: &str) -> Result<T>
where
    T: FromDatum + IntoDatum + for<'row> UnboxDatum<As<'row> = T> + 'static,
    Memory: WhoAllocated,
{
    row.get_by_name(name).map_err(wrong_trigger)?.ok_or_else(|| wrong_trigger(format!("{name} is NULL")))
}
