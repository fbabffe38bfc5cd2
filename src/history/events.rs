//! What becomes of reminders before they are sent: noted by triggers, whoever writes them. Claims and answers cost nothing: a row
//! trigger's WHEN clause is false for them. Owns which event it was, and what was being done.

use std::cell::{Cell, RefCell};

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::clock_timestamp;
use pgrx::pg_sys::TransactionId;
use pgrx::prelude::*;

use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::server::errors::{Result, raised, wrong_trigger};
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

/// A reminder that was changed.
struct Changed {
    id: Uuid,
    /// Only to whom it goes.
    is_readdressed: bool,
    /// The part of the transaction that did.
    part: TransactionId,
}

/// What is to be sent and when, or why it is not: all but to whom. (A claim for somebody else begins another episode of the same.)
#[derive(PartialEq)]
struct Message {
    status: String,
    skip_reason: Option<String>,
    anchor: Option<TimestampWithTimeZone>,
    scheduled_for: TimestampWithTimeZone,
}

impl Message {
    fn of(row: &OriginalRow) -> Result<Self> {
        Ok(Self {
            status: column(row, "status")?,
            skip_reason: row.get_by_name("skip_reason").map_err(wrong_trigger)?,
            anchor: row.get_by_name("anchor").map_err(wrong_trigger)?,
            scheduled_for: column(row, "scheduled_for")?,
        })
    }
}

thread_local! {
    static DOING: Cell<Doing> = const { Cell::new(Doing { run: None, as_of: None, is_withdrawing: false }) };
    /// Reminders that a statement changed, until it ends.
    static CHANGED: Memory<Vec<Changed>> = RefCell::default();
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
        let (old, new) =
            (trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT"))?, new_row(trigger)?);
        let id = column::<Uuid, _>(&new, "id")?;
        let is_readdressed = Message::of(&old)? == Message::of(&new)?;
        remembered(&CHANGED, |changed| changed.push(Changed { id, is_readdressed, part: part() }));
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

/// Trigger: notes that what was held of an organization was released, or is held no more.
#[pg_trigger]
fn note_release<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    static NOTE: Statement =
        Statement::by_index(include_str!("../../sql/history/note_release.sql"), &[types::UUID, types::MOMENT]);
    raised(require(trigger, "note_release").and_then(|()| {
        let id = column::<Uuid, _>(&new_row(trigger)?, "organization_id")?;
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
        &[types::UUIDS, types::BOOL, types::UUID, types::MOMENT, types::MOMENT, types::BOOLS],
    );
    // Most updates are claims and answers: nothing is looked up for them, nor given a transaction's number.
    if CHANGED.with_borrow(|(_, changed)| changed.is_empty()) {
        return Ok(());
    }
    let changed = remembered(&CHANGED, std::mem::take);
    let changed = changed.into_iter().filter(|changed| !was_rolled_back(changed.part));
    let (ids, are_readdressed): (Vec<Uuid>, Vec<bool>) =
        changed.map(|changed| (changed.id, changed.is_readdressed)).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let doing = DOING.get();
    let arguments = [
        ids.into(),
        doing.is_withdrawing.into(),
        doing.run.into(),
        doing.as_of.into(),
        clock_timestamp().into(),
        are_readdressed.into(),
    ];
    as_table_owner(trigger, || NOTE.run(&arguments))
}
