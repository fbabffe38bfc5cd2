//! An argument of a composite type, read by the names of its attributes. Owns that conversion.

use std::cell::Cell;
use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::tupdesc::PgTupleDesc;
use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::errors::{Result, altered_type};
use super::rows::{Named, is_named, type_name};

/// An argument of the composite type that `T` names.
pub struct Record<T> {
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
    descriptor: pg_sys::TupleDesc,
    /// Where the next attribute is looked for first: they are mostly read in their order.
    next: Cell<usize>,
    declared: PhantomData<T>,
}

/// Declares the composite type of an argument: `takes!(Facts, "assignment_reminders.reminder_facts")`.
macro_rules! takes {
    ($(#[$doc:meta])* $name:ident, $sql:literal) => {
        $(#[$doc])*
        pub struct $name;
        pgrx::pgrx_sql_entity_graph::impl_sql_translatable!($crate::server::argument::Record<$name>, arg_only = $sql);
    };
}
pub(crate) use takes;

impl<T> Record<T> {
    /// An attribute by its name. 42804 when the type has none of this name and type: it was altered.
    pub fn get<V: FromDatum + IntoDatum>(&self, name: &str) -> Result<Option<V>> {
        let found = self.position(name).and_then(|(at, oid)| {
            // SAFETY: the value is of this type, and is copied.
            unsafe { V::try_from_datum(self.values[at], self.nulls[at], oid) }.ok()
        });
        found.ok_or_else(|| {
            let type_name = type_name(self.descriptor);
            altered_type(format!("the type {type_name} has no attribute {name} as assignment_reminders reads it"))
        })
    }

    /// Where an attribute stands, and its type.
    fn position(&self, name: &str) -> Option<(usize, pg_sys::Oid)> {
        // SAFETY: the descriptor is held until this is dropped.
        let attributes = unsafe { PgTupleDesc::from_pg_unchecked(self.descriptor) };
        let (count, first) = (self.values.len(), self.next.get());
        let at = (first..count).chain(0..first.min(count)).find(|&at| {
            attributes.get(at).is_some_and(|attribute| !attribute.attisdropped && is_named(&attribute.attname, name))
        })?;
        self.next.set(at + 1);
        Some((at, attributes.get(at)?.atttypid))
    }
}

impl<T> Named for Record<T> {
    fn named<V: FromDatum + IntoDatum>(&self, name: &str) -> Result<Option<V>> {
        self.get(name)
    }
}

impl<T> FromDatum for Record<T> {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: Postgres passes a tuple of the declared type, which says of which version it is. There is room for each attribute. The
        // descriptor is given back when this is dropped.
        unsafe {
            let header: pg_sys::HeapTupleHeader = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            let mut tuple = pg_sys::HeapTupleData {
                t_len: pgrx::varsize_any(header.cast()).try_into().ok()?,
                t_data: header,
                ..Default::default()
            };
            let of = (*header).t_choice.t_datum;
            let descriptor = pg_sys::lookup_rowtype_tupdesc(of.datum_typeid, of.datum_typmod);
            let count = usize::try_from((*descriptor).natts).unwrap_or(0);
            let (mut values, mut nulls) = (vec![pg_sys::Datum::null(); count], vec![true; count]);
            pg_sys::heap_deform_tuple(&raw mut tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            Some(Self { values, nulls, descriptor, next: Cell::new(0), declared: PhantomData })
        }
    }
}

// SAFETY: the conversion is FromDatum's.
unsafe impl<'fcx, T> ArgAbi<'fcx> for Record<T> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: functions take these as Option, so that NULL never comes here.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or_else(|| unreachable!("NULL is passed as None"))
    }
}

impl<T> Drop for Record<T> {
    fn drop(&mut self) {
        // SAFETY: the descriptor was looked up by from_polymorphic_datum, and nobody else gives it back.
        unsafe {
            if (*self.descriptor).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(self.descriptor);
            }
        }
    }
}
