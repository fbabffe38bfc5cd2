//! What functions return: a row, or rows, of the type that SQL declares for them. Owns the one conversion from columns with
//! names to a tuple, which checks that the declared type has these columns and no others.

use std::marker::PhantomData;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys::panic::{ErrorReport, ErrorReportable};
use pgrx::{IntoDatum, PgMemoryContexts, pg_sys};

use super::errors::{Result, altered_type};
use super::rows::{Column, ResultSet, Row, columns, type_name};

/// The value of a column, with its name.
pub struct Value {
    name: &'static str,
    oid: pg_sys::Oid,
    datum: Option<pg_sys::Datum>,
}

/// A value of a column of this name.
pub fn value<T: IntoDatum>(name: &'static str, value: T) -> Value {
    Value { name, oid: T::type_oid(), datum: value.into_datum() }
}

/// What knows its columns.
pub trait Columns {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>>;
}

/// A row of the declared composite type.
pub struct Composite<T>(pub T);

/// Rows of the declared type, which `T` names.
pub struct SetOf<T> {
    rows: Source,
    declared: PhantomData<T>,
}

enum Source {
    Statement(ResultSet),
    Values(Vec<Vec<Value>>),
}

impl<T> SetOf<T> {
    /// Those columns of a statement's rows that the declared type has.
    pub fn statement(rows: ResultSet) -> Self {
        Self { rows: Source::Statement(rows), declared: PhantomData }
    }

    /// Rows made here.
    pub fn values(rows: impl IntoIterator<Item = impl Into<Vec<Value>>>) -> Self {
        Self { rows: Source::Values(rows.into_iter().map(Into::into).collect()), declared: PhantomData }
    }
}

/// Declares, in SQL, what a function returns: `returns!(Name: SetOf, "TABLE (a integer, b text)")`.
macro_rules! returns {
    ($(#[$doc:meta])* $name:ident: SetOf, $sql:literal) => {
        $(#[$doc])*
        pub struct $name;
        pgrx::pgrx_sql_entity_graph::impl_sql_translatable!($crate::server::result::SetOf<$name>, $sql);
    };
    ($name:ty: Composite, $sql:literal) => {
        pgrx::pgrx_sql_entity_graph::impl_sql_translatable!($crate::server::result::Composite<$name>, $sql);
    };
}
pub(crate) use returns;

/// For each column of a declared type, which of the available values fills it.
struct ColumnMapping {
    descriptor: pg_sys::TupleDesc,
    /// None: the column was dropped, and is NULL.
    sources: Vec<Option<usize>>,
    /// The last row's values, in the order of the type.
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
}

impl ColumnMapping {
    /// 42804 when a column of the type is not available, or is of another type there.
    fn of<'a>(descriptor: pg_sys::TupleDesc, available: impl Iterator<Item = (&'a [u8], pg_sys::Oid)>) -> Result<Self> {
        let available: Vec<_> = available.collect();
        let source_of = |column: Column| {
            // A varchar is a text, and so is a domain over it: users may alter their columns so.
            // SAFETY: looks the two types up in the catalog.
            let fits = |oid| oid == column.oid || unsafe { pg_sys::IsBinaryCoercible(oid, column.oid) };
            let found = available.iter().position(|&(name, oid)| name == column.name && fits(oid));
            match found {
                Some(index) => Ok(Some(index)),
                None if column.is_dropped => Ok(None),
                None => Err(changed_type(descriptor, &String::from_utf8_lossy(column.name))),
            }
        };
        let sources: Vec<_> = columns(descriptor).map(source_of).collect::<Result<_>>()?;
        let (values, nulls) = (vec![pg_sys::Datum::null(); sources.len()], vec![true; sources.len()]);
        Ok(Self { descriptor, sources, values, nulls })
    }

    /// The same, where the type must not have fewer columns either.
    fn of_all<'a>(
        descriptor: pg_sys::TupleDesc,
        available: impl Iterator<Item = (&'a [u8], pg_sys::Oid)> + Clone,
    ) -> Result<Self> {
        let mapping = Self::of(descriptor, available.clone())?;
        match available.enumerate().find(|(index, _)| !mapping.sources.contains(&Some(*index))) {
            None => Ok(mapping),
            Some((_, (missing, _))) => Err(changed_type(descriptor, &String::from_utf8_lossy(missing))),
        }
    }

    /// Puts a row's values in the order of the type.
    fn arrange(&mut self, value: impl Fn(usize) -> Option<pg_sys::Datum>) {
        for ((source, to), is_null) in self.sources.iter().zip(&mut self.values).zip(&mut self.nulls) {
            let value = source.and_then(&value);
            *is_null = value.is_none();
            *to = value.unwrap_or(pg_sys::Datum::null());
        }
    }

    /// # Safety
    /// The arranged values are of the types of the columns.
    unsafe fn tuple(&mut self) -> pg_sys::HeapTuple {
        // SAFETY: there is a value for each column.
        unsafe { pg_sys::heap_form_tuple(self.descriptor, self.values.as_mut_ptr(), self.nulls.as_mut_ptr()) }
    }

    /// # Safety
    /// As for `tuple`; the store is one for tuples of this type.
    unsafe fn put(&mut self, store: *mut pg_sys::Tuplestorestate) {
        // SAFETY: there is a value for each column.
        unsafe {
            pg_sys::tuplestore_putvalues(store, self.descriptor, self.values.as_mut_ptr(), self.nulls.as_mut_ptr());
        }
    }
}

fn changed_type(descriptor: pg_sys::TupleDesc, column: &str) -> ErrorReport {
    let name = type_name(descriptor);
    altered_type(format!(
        "the result type {name} is not the one that assignment_reminders returns: column \"{column}\" differs"
    ))
}

/// The names and types of values.
fn named(values: &[Value]) -> impl Iterator<Item = (&[u8], pg_sys::Oid)> + Clone {
    values.iter().map(|value| (value.name.as_bytes(), value.oid))
}

// SAFETY: the datum is a tuple of the function's declared result type, by that type's own descriptor.
unsafe impl<T: Columns> BoxRet for Composite<T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        let columns = self.0.columns();
        let available = columns.as_ref();
        // SAFETY: Postgres passes a call with its FmgrInfo.
        unsafe {
            let mapping = mapping_of_call(fcinfo.as_mut_ptr(), available).unwrap_or_report();
            mapping.arrange(|index| available[index].datum);
            fcinfo.return_raw_datum(pg_sys::HeapTupleHeaderGetDatum((*mapping.tuple()).t_data))
        }
    }
}

/// Found once per call site and kept with it: the look-up costs more than the rest of the call.
unsafe fn mapping_of_call<'a>(call: pg_sys::FunctionCallInfo, available: &[Value]) -> Result<&'a mut ColumnMapping> {
    // SAFETY: as for box_into, the only caller. What is kept lives as long as the FmgrInfo.
    unsafe {
        let function = (*call).flinfo;
        if (*function).fn_extra.is_null() {
            let mut memory = PgMemoryContexts::For((*function).fn_mcxt);
            let descriptor = memory.switch_to(|_| {
                let mut descriptor: pg_sys::TupleDesc = std::ptr::null_mut();
                pg_sys::get_call_result_type(call, std::ptr::null_mut(), &raw mut descriptor);
                (!descriptor.is_null()).then(|| pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor)))
            });
            let descriptor = descriptor.ok_or_else(no_composite)?;
            let mapping = ColumnMapping::of_all(descriptor, named(available))?;
            (*function).fn_extra = memory.leak_and_drop_on_delete(mapping).cast();
        }
        Ok(&mut *(*function).fn_extra.cast::<ColumnMapping>())
    }
}

// SAFETY: the rows go to a tuplestore of the function's declared result type, by that type's own descriptor.
unsafe impl<T> BoxRet for SetOf<T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: InitMaterializedSRF checks that the caller takes a tuplestore, and makes it.
        unsafe {
            pg_sys::InitMaterializedSRF(fcinfo.as_mut_ptr(), 0);
            #[allow(clippy::cast_ptr_alignment)] // a ReturnSetInfo is what Postgres put there
            let result = (*fcinfo.as_mut_ptr()).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let (store, descriptor) = ((*result).setResult, (*result).setDesc);
            match self.rows {
                Source::Statement(rows) => {
                    let Some(first) = rows.rows().next() else { return fcinfo.return_null() };
                    let available = columns(first.descriptor()).map(|column| (column.name, column.oid));
                    let mut mapping = ColumnMapping::of(descriptor, available).unwrap_or_report();
                    for (values, nulls) in rows.rows().map(Row::values) {
                        mapping.arrange(|index| (!nulls[index]).then_some(values[index]));
                        mapping.put(store);
                    }
                }
                Source::Values(rows) => {
                    let Some(first) = rows.first() else { return fcinfo.return_null() };
                    // All are made by the same lines.
                    let mut mapping = ColumnMapping::of_all(descriptor, named(first)).unwrap_or_report();
                    for row in &rows {
                        mapping.arrange(|index| row[index].datum);
                        mapping.put(store);
                    }
                }
            }
            fcinfo.return_null()
        }
    }
}

fn no_composite() -> ErrorReport {
    altered_type("the function is not declared to return a composite type")
}
