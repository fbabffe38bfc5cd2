//! An argument of a composite type, read by the names of its attributes. Owns that conversion.

use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::errors::{Result, altered_type};
use super::rows::{Row, type_name};

/// An argument of the composite type that `T` names.
pub struct Record<T> {
    row: Row,
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
        self.row.get(name).map_err(|_| {
            let type_name = type_name(self.row.descriptor());
            altered_type(format!("the type {type_name} has no attribute {name} as assignment_reminders reads it"))
        })
    }
}

impl<T> FromDatum for Record<T> {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: Postgres passes a tuple of the declared type, which says of which version it is. The descriptor is given back
        // when this is dropped.
        unsafe {
            let header: pg_sys::HeapTupleHeader = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            let mut tuple = pgrx::PgBox::<pg_sys::HeapTupleData>::alloc0();
            tuple.t_len = pgrx::varsize_any(header.cast()).try_into().ok()?;
            tuple.t_data = header;
            let datum_fields = (*header).t_choice.t_datum;
            let descriptor = pg_sys::lookup_rowtype_tupdesc(datum_fields.datum_typeid, datum_fields.datum_typmod);
            Some(Self { row: Row::new(tuple.into_pg(), descriptor), declared: PhantomData })
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
            if (*self.row.descriptor()).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(self.row.descriptor());
            }
        }
    }
}
