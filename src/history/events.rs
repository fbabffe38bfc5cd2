//! What becomes of reminders before they are sent: noted by triggers, whoever writes them. Claims and answers cost nothing: a row
//! trigger's WHEN clause is false for them. Owns which event it was, and what was being done.

use std::cell::{Cell, RefCell};

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::clock_timestamp;
use pgrx::pg_sys::TransactionId;
use pgrx::prelude::*;

use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::server::errors::{Result, raised};
use crate::server::own_trigger::require;
use crate::server::owner::as_table_owner;
use crate::server::statement::{Statement, types};
use crate::server::swap;
use crate::server::transaction::{Memory, part, remembered, was_rolled_back};
use crate::server::transition::{Side, is_empty};

/// What a function of ours is doing, while it does it.
#[derive(Clone, Copy, Default)]
struct Doing {
    run: Option<Uuid>,
    as_of: Option<TimestampWithTimeZone>,
    is_withdrawing: bool,
}

thread_local! {
    static DOING: Cell<Doing> = const { Cell::new(Doing { run: None, as_of: None, is_withdrawing: false }) };
    /// Reminders that a statement changed, each with the part of the transaction that did: until the statement ends.
    static CHANGED: Memory<Vec<(Uuid, TransactionId)>> = RefCell::default();
}

/// Does `work`, which is about a moment.
pub fn about<T>(as_of: TimestampWithTimeZone, work: impl FnOnce() -> T) -> T {
    swap::with(&DOING, Doing { as_of: Some(as_of), ..DOING.get() }, work)
}

/// Does `work`, which a run does.
pub fn in_run<T>(run: Uuid, as_of: TimestampWithTimeZone, work: impl FnOnce() -> T) -> T {
    swap::with(&DOING, Doing { run: Some(run), as_of: Some(as_of), is_withdrawing: false }, work)
}

/// Does `work`, which withdraws what waits: it is no longer called for.
pub fn withdrawing<T>(work: impl FnOnce() -> T) -> T {
    swap::with(&DOING, Doing { is_withdrawing: true, ..DOING.get() }, work)
}

/// Trigger: notes what a statement enqueued, and what it found due and not to be sent.
#[pg_trigger]
fn note_enqueued<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "note_enqueued").and_then(|()| enqueued(trigger)).map(|()| None))
}

/// Trigger: keeps a reminder that was armed again, or is not to be sent, for note_changed to note.
#[pg_trigger]
fn keep_changed<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "keep_changed").and_then(|()| {
        let id = column::<Uuid, _>(&new_row(trigger)?, "id")?;
        remembered(&CHANGED, |changed| changed.push((id, part())));
        Ok(None)
    }))
}

/// Trigger: notes what a statement armed again, skipped or withdrew.
#[pg_trigger]
fn note_changed<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "note_changed").and_then(|()| changed(trigger)).map(|()| None))
}

/// Trigger: notes that a run held the follow-ups of an organization.
#[pg_trigger]
fn note_held<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    static NOTE: Statement =
        Statement::by_index(include_str!("../../sql/history/note_held.sql"), &[types::UUID, types::MOMENT]);
    raised(require(trigger, "note_held").and_then(|()| {
        let id = column::<Uuid, _>(&new_row(trigger)?, "id")?;
        as_table_owner(trigger, || NOTE.run(&[id.into(), clock_timestamp().into()]))?;
        Ok(None)
    }))
}

fn enqueued(trigger: &PgTrigger) -> Result<()> {
    static NOTE: Statement = Statement::kept(
        include_str!("../../sql/history/note_enqueued.sql"),
        &[types::UUID, types::MOMENT, types::MOMENT],
    );
    // Such as one of an INSERT ... ON CONFLICT DO NOTHING.
    if is_empty(trigger, Side::New) {
        return Ok(());
    }
    let doing = DOING.get();
    let arguments = [doing.run.into(), doing.as_of.into(), clock_timestamp().into()];
    as_table_owner(trigger, || NOTE.run_in(trigger, &arguments))
}

fn changed(trigger: &PgTrigger) -> Result<()> {
    static NOTE: Statement = Statement::by_index(
        include_str!("../../sql/history/note_changed.sql"),
        &[types::UUIDS, types::BOOL, types::UUID, types::MOMENT, types::MOMENT],
    );
    // Most updates are claims and answers: nothing is looked up for them, nor given a transaction's number.
    if CHANGED.with_borrow(|(_, changed)| changed.is_empty()) {
        return Ok(());
    }
    let changed = remembered(&CHANGED, std::mem::take);
    let changed: Vec<Uuid> =
        changed.into_iter().filter(|(_, part)| !was_rolled_back(*part)).map(|(id, _)| id).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let doing = DOING.get();
    let arguments =
        [changed.into(), doing.is_withdrawing.into(), doing.run.into(), doing.as_of.into(), clock_timestamp().into()];
    as_table_owner(trigger, || NOTE.run(&arguments))
}
