//! What a statement changed, row by row, as its trigger's transition tables have it: which rows, and the values that it replaced.
//! Owns reading and comparing them; what is made of it is the caller's.

use std::collections::HashMap;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::clock_timestamp;
use pgrx::{FromDatum, IntoDatum, PgMemoryContexts, PgTrigger, Uuid, direct_function_call_as_datum, pg_sys};

use super::errors::{Result, broken_statement, wrong_trigger};
use super::rows::columns;
use super::transition::{Reader, Side, descriptor, no_table};
use crate::rules::history::{Operation, Versioned};

/// A change of one row.
pub struct Change {
    pub row: RowName,
    pub operation: Operation,
    /// A JSON object: of an update, the columns that were changed; of a delete, all. None of an insert.
    pub old_values: Option<String>,
}

impl Change {
    /// Of a row that was not there before, as of now.
    pub fn insert(row: RowName, created_at: TimestampWithTimeZone) -> Self {
        let is_created_later = created_at.into_inner() > clock_timestamp().into_inner();
        Self { row, operation: Operation::inserted(is_created_later), old_values: None }
    }
}

/// By what a row is known.
#[derive(Clone, Copy)]
pub struct RowName {
    pub id: Uuid,
    pub organization: Uuid,
    pub belongs_to: Option<Uuid>,
}

/// Calls `each` with every change that the trigger's statement, an UPDATE or a DELETE, made to more than derived columns. A row that
/// was given another key, or another organization, was deleted, and another one inserted; what was inserted so comes last.
///
/// 39P01 where the trigger has no such transition tables, or the table not the columns by which its rows are known.
pub fn for_each(trigger: &PgTrigger, versioned: &Versioned, mut each: impl FnMut(Change) -> Result<()>) -> Result<()> {
    let mut table = Table::of(descriptor(trigger), versioned)?;
    let mut before = Reader::of(trigger, Side::Old).ok_or_else(no_table)?;
    let mut after = Reader::of(trigger, Side::New);
    let mut inserted = Vec::new();
    // What is made of one row is given back before the next.
    let mut memory = PgMemoryContexts::new("assignment_reminders changes");
    while before.advance() {
        // Not in that memory: what comes from a file stays with its slot.
        if after.as_mut().is_some_and(|after| !after.advance()) {
            return Err(wrong_trigger("its transition tables hold different numbers of rows"));
        }
        // SAFETY: nothing that is made in this memory outlives the closure but what was copied into Rust's.
        let change = unsafe {
            let change = memory.switch_to(|_| match &after {
                None => table.deleted(&before).map(Some),
                Some(after) => table.updated(&before, after, &mut inserted),
            });
            memory.reset();
            change?
        };
        if let Some(change) = change {
            each(change)?;
        }
    }
    for (row, created_at) in inserted {
        each(Change::insert(row, created_at))?;
    }
    Ok(())
}

/// Does `work`, and gives back after it what Postgres took memory for.
pub fn in_memory_of_its_own<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut memory = PgMemoryContexts::new("assignment_reminders batch");
    // SAFETY: results and errors are of Rust's memory.
    unsafe { memory.switch_to(|_| work()) }
}

/// A column whose values are compared.
struct Compared {
    number: i32,
    is_by_value: bool,
    length: i32,
}

/// The columns of a table, by what is asked of them.
struct Table {
    descriptor: pg_sys::TupleDesc,
    /// The memory of the trigger's call.
    memory: pg_sys::MemoryContext,
    key: i32,
    organization: i32,
    belongs_to: Option<i32>,
    created_at: i32,
    compared: Vec<Compared>,
    all: Vec<i32>,
    /// The descriptors of some of the columns, by their numbers.
    parts: HashMap<Vec<i32>, pg_sys::TupleDesc>,
}

impl Table {
    fn of(descriptor: pg_sys::TupleDesc, versioned: &Versioned) -> Result<Self> {
        let number_of = |name: &str, of_type: pg_sys::Oid| {
            columns(descriptor)
                .find(|found| found.name == name.as_bytes() && found.oid == of_type)
                .map(|found| found.number)
                .ok_or_else(|| wrong_trigger(format!("its table has no column {name}")))
        };
        let id = |name| number_of(name, Uuid::type_oid());
        let present = || columns(descriptor).filter(|column| !column.is_dropped);
        Ok(Self {
            descriptor,
            // SAFETY: reads a variable of this backend.
            memory: unsafe { pg_sys::CurrentMemoryContext },
            key: id(versioned.key)?,
            organization: id(versioned.organization)?,
            belongs_to: versioned.belongs_to.map(id).transpose()?,
            created_at: number_of("created_at", TimestampWithTimeZone::type_oid())?,
            compared: present()
                .filter(|column| !versioned.is_derived(&String::from_utf8_lossy(column.name)))
                .map(|column| Compared {
                    number: column.number,
                    is_by_value: column.is_by_value,
                    length: column.length.into(),
                })
                .collect(),
            all: present().map(|column| column.number).collect(),
            parts: HashMap::new(),
        })
    }

    fn deleted(&mut self, row: &Reader) -> Result<Change> {
        let all = self.all.clone();
        let old_values = Some(self.json(row, all)?);
        Ok(Change { row: self.name(row)?, operation: Operation::Delete, old_values })
    }

    fn updated(
        &mut self,
        before: &Reader,
        after: &Reader,
        inserted: &mut Vec<(RowName, TimestampWithTimeZone)>,
    ) -> Result<Option<Change>> {
        let changed: Vec<i32> = self
            .compared
            .iter()
            .filter(|column| !is_same(before.value(column.number), after.value(column.number), column))
            .map(|column| column.number)
            .collect();
        if changed.is_empty() {
            return Ok(None);
        }
        if changed.contains(&self.key) || changed.contains(&self.organization) {
            inserted.push((self.name(after)?, self.created_at(after)?));
            return self.deleted(before).map(Some);
        }
        let old_values = Some(self.json(before, changed)?);
        Ok(Some(Change { row: self.name(before)?, operation: Operation::Update, old_values }))
    }

    fn name(&self, row: &Reader) -> Result<RowName> {
        let id = |number: i32| {
            // SAFETY: the column is a uuid; what is read is copied.
            row.value(number).and_then(|datum| unsafe { Uuid::from_datum(datum, false) })
        };
        let required = |number: i32| id(number).ok_or_else(|| wrong_trigger("the key of a row is NULL"));
        Ok(RowName {
            id: required(self.key)?,
            organization: required(self.organization)?,
            belongs_to: self.belongs_to.and_then(id),
        })
    }

    fn created_at(&self, row: &Reader) -> Result<TimestampWithTimeZone> {
        // SAFETY: the column is a timestamptz, which is copied.
        let moment = row.value(self.created_at).and_then(|datum| unsafe { FromDatum::from_datum(datum, false) });
        moment.ok_or_else(|| wrong_trigger("created_at is NULL"))
    }

    /// These columns of a row as a JSON object.
    fn json(&mut self, row: &Reader, numbers: Vec<i32>) -> Result<String> {
        let (mut values, mut nulls) = (Vec::with_capacity(numbers.len()), Vec::with_capacity(numbers.len()));
        for &number in &numbers {
            let value = row.value(number);
            nulls.push(value.is_none());
            values.push(value.unwrap_or(pg_sys::Datum::null()));
        }
        let descriptor = self.part(numbers);
        // SAFETY: there is a value for each column of the part, of its type; row_to_json takes a row and returns a text.
        let json = unsafe {
            let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            let row = pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data);
            direct_function_call_as_datum(pg_sys::row_to_json, &[Some(row)])
                .and_then(|json| String::from_datum(json, false))
        };
        json.ok_or_else(|| broken_statement("a row has no JSON"))
    }

    fn part(&mut self, numbers: Vec<i32>) -> pg_sys::TupleDesc {
        let (whole, memory) = (self.descriptor, self.memory);
        *self.parts.entry(numbers).or_insert_with_key(|numbers| {
            // SAFETY: the numbers are those of columns of the table. It lives as long as the trigger's call; what a
            // row is known by is registered once for each set of columns.
            unsafe {
                PgMemoryContexts::For(memory).switch_to(|_| {
                    let natts = i32::try_from(numbers.len()).unwrap_or(i32::MAX);
                    let part = pg_sys::CreateTemplateTupleDesc(natts);
                    for (to, &from) in (1..).zip(numbers) {
                        pg_sys::TupleDescCopyEntry(part, to, whole, i16::try_from(from).unwrap_or(i16::MAX));
                    }
                    pg_sys::BlessTupleDesc(part)
                })
            }
        })
    }
}

unsafe extern "C-unwind" {
    /// Of utils/datum.h: whether two values are the same, byte by byte, stored in whatever way.
    fn datum_image_eq(one: pg_sys::Datum, other: pg_sys::Datum, is_by_value: bool, length: i32) -> bool;
}

fn is_same(one: Option<pg_sys::Datum>, other: Option<pg_sys::Datum>, column: &Compared) -> bool {
    match (one, other) {
        (None, None) => true,
        // SAFETY: both are values of this column.
        (Some(one), Some(other)) => unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| datum_image_eq(one, other, column.is_by_value, column.length))
        },
        _ => false,
    }
}
