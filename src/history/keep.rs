//! Keeping what changes replace: by a trigger per statement, with the rights of the tables' owner.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::clock_timestamp;
use pgrx::prelude::*;
use pgrx::{PgTriggerOperation, Uuid};

use crate::access::current_user;
use crate::install::migrations;
use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::rules::history::Versioned;
use crate::server::changes::{self, Change, RowName};
use crate::server::errors::{Result, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::{as_table_owner, session_user};
use crate::server::setting::{Nested, setting};
use crate::server::statement::{Statement, types};

/// How many changes are written at once: a statement on a million rows must not need memory for all.
const BATCH: usize = 10_000;

/// Trigger: keeps what a statement replaced, of rows of which it changed more than what is derived.
#[pg_trigger]
fn keep_versions<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    // What a migration gives to rows that are there, or what install() repairs, is no change of theirs.
    if migrations::is_at_work() {
        return Ok(None);
    }
    raised(require(trigger, "keep_versions").and_then(|()| in_one_notation(|| keep(trigger))?).map(|()| None))
}

/// Trigger: notes when a row was inserted that says that it was created at another moment. Its history begins with the insert.
#[pg_trigger]
fn note_insert<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    if migrations::is_at_work() {
        return Ok(None);
    }
    raised(require(trigger, "note_insert").and_then(|()| note(trigger)).map(|()| None))
}

/// Whether what this trigger, as the catalog defines it, missed is missing in the history.
pub fn is_kept_by(definition: &str) -> bool {
    definition.ends_with("keep_versions()") || definition.ends_with("note_insert()")
}

/// Values are kept as every session reads them, whatever the settings of the one that writes.
fn in_one_notation<T>(work: impl FnOnce() -> T) -> Result<T> {
    Nested::all_during(
        &[
            (c"TimeZone", c"UTC"),
            (c"IntervalStyle", c"postgres"),
            (c"extra_float_digits", c"1"),
            (c"bytea_output", c"hex"),
        ],
        work,
    )
}

fn keep(trigger: &PgTrigger) -> Result<()> {
    let versioned = versioned(trigger)?;
    if matches!(trigger.op(), Ok(PgTriggerOperation::Truncate)) {
        return keep_truncated(trigger, versioned);
    }
    let mut batch = Batch::of(trigger, versioned);
    changes::for_each(trigger, versioned, |change| {
        batch.add(change);
        if batch.ids.len() < BATCH { Ok(()) } else { batch.write() }
    })?;
    batch.write()
}

fn note(trigger: &PgTrigger) -> Result<()> {
    let versioned = versioned(trigger)?;
    let new = new_row(trigger)?;
    let belongs_to = versioned.belongs_to.map(|name| column::<Uuid, _>(&new, name)).transpose()?;
    let row =
        RowName { id: column(&new, versioned.key)?, organization: column(&new, versioned.organization)?, belongs_to };
    let mut batch = Batch::of(trigger, versioned);
    batch.add(Change::insert(row, column(&new, "created_at")?));
    batch.write()
}

fn versioned(trigger: &PgTrigger) -> Result<&'static Versioned> {
    let table = trigger.table_name().map_err(wrong_trigger)?;
    Versioned::named(&table).ok_or_else(|| wrong_trigger(format!("{table} is not versioned")))
}

fn keep_truncated(trigger: &PgTrigger, versioned: &Versioned) -> Result<()> {
    static KEEP: Statement = Statement::kept(
        include_str!("../../sql/history/keep_truncated.sql"),
        &[types::TEXT, types::TEXT, types::UUID, types::MOMENT],
    );
    let (role, user) = writer();
    as_table_owner(trigger, || KEEP.run(&[versioned.table.into(), role.into(), user.into(), clock_timestamp().into()]))
}

/// Who writes: the role that the session has taken, since a cascade writes as the tables' owner, and the user whom its JWT names. A JWT
/// that cannot be read names nobody: who wrote is no reason to refuse what they wrote.
pub fn writer() -> (String, Option<Uuid>) {
    let role = setting(c"role").filter(|role| role != "none").unwrap_or_else(session_user);
    (role, current_user().ok().flatten())
}

/// Changes of a statement, column by column as they are handed to Postgres.
struct Batch<'a> {
    trigger: &'a PgTrigger<'a>,
    table: &'static str,
    /// One moment for all that the statement did.
    at: TimestampWithTimeZone,
    ids: Vec<Uuid>,
    organizations: Vec<Uuid>,
    belong_to: Vec<Option<Uuid>>,
    operations: Vec<&'static str>,
    old_values: Vec<Option<String>>,
}

impl<'a> Batch<'a> {
    fn of(trigger: &'a PgTrigger<'a>, versioned: &Versioned) -> Self {
        Self {
            trigger,
            table: versioned.table,
            at: clock_timestamp(),
            ids: Vec::new(),
            organizations: Vec::new(),
            belong_to: Vec::new(),
            operations: Vec::new(),
            old_values: Vec::new(),
        }
    }

    fn add(&mut self, change: Change) {
        self.ids.push(change.row.id);
        self.organizations.push(change.row.organization);
        self.belong_to.push(change.row.belongs_to);
        self.operations.push(change.operation.name());
        self.old_values.push(change.old_values);
    }

    fn write(&mut self) -> Result<()> {
        static KEEP: Statement = Statement::by_index(
            include_str!("../../sql/history/keep.sql"),
            &[
                types::TEXT,
                types::UUIDS,
                types::UUIDS,
                types::UUIDS,
                types::TEXTS,
                types::TEXTS,
                types::TEXT,
                types::UUID,
                types::MOMENT,
            ],
        );
        if self.ids.is_empty() {
            return Ok(());
        }
        let (role, user) = writer();
        // A statement of a million rows writes a hundred of these.
        changes::in_memory_of_its_own(|| {
            let arguments = [
                self.table.into(),
                std::mem::take(&mut self.ids).into(),
                std::mem::take(&mut self.organizations).into(),
                std::mem::take(&mut self.belong_to).into(),
                std::mem::take(&mut self.operations).into(),
                std::mem::take(&mut self.old_values).into(),
                role.into(),
                user.into(),
                self.at.into(),
            ];
            as_table_owner(self.trigger, || KEEP.run(&arguments))
        })
    }
}
