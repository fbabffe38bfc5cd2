//! The rows that statements return: read by the names of their columns, or kept whole for a function to return.

use std::ffi::CStr;

use pgrx::tupdesc::PgTupleDesc;
use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::errors::{Result, broken_statement};

/// The rows of a statement, for as long as SPI is connected.
pub struct Rows {
    table: *mut pg_sys::SPITupleTable,
    next: usize,
    /// Where SPI was connected: what is kept goes there.
    outside: pg_sys::MemoryContext,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
}

/// Rows that outlive their statement, until the function that asked for them returns.
pub struct ResultSet {
    rows: Vec<Row>,
}

impl Rows {
    /// # Safety
    /// SPI was connected in the memory context `outside`, has just executed a statement, and executes no other while
    /// these rows are read.
    pub unsafe fn of_last_statement(outside: pg_sys::MemoryContext) -> Self {
        // SAFETY: as the caller promises.
        Self { table: unsafe { pg_sys::SPI_tuptable }, next: 0, outside }
    }

    pub fn kept(self) -> ResultSet {
        // SAFETY: as for `of_last_statement`.
        unsafe {
            let Some(table) = self.table.as_ref() else { return ResultSet::empty() };
            let previous = pg_sys::MemoryContextSwitchTo(self.outside);
            let descriptor = pg_sys::CreateTupleDescCopy(table.tupdesc);
            let rows = self.map(|row| Row { tuple: pg_sys::heap_copytuple(row.tuple), descriptor }).collect();
            pg_sys::MemoryContextSwitchTo(previous);
            ResultSet { rows }
        }
    }

    /// A column of every row, NULLs left out.
    pub fn column<T: FromDatum + IntoDatum>(self, name: &str) -> Result<Vec<T>> {
        self.filter_map(|row| row.get(name).transpose()).collect()
    }

    /// The column of the first row.
    pub fn one<T: FromDatum + IntoDatum>(mut self, name: &str) -> Result<Option<T>> {
        self.next().map_or(Ok(None), |row| row.get(name))
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        // SAFETY: as for `of_last_statement`; a statement that returns nothing has no table.
        let table = unsafe { self.table.as_ref() }?;
        let at = self.next;
        if at >= usize::try_from(table.numvals).ok()? {
            return None;
        }
        self.next += 1;
        // SAFETY: `at` is within the table.
        Some(Row { tuple: unsafe { *table.vals.add(at) }, descriptor: table.tupdesc })
    }
}

impl Row {
    /// A column by its name. XX000 when there is none, or when it is of another type.
    pub fn get<T: FromDatum + IntoDatum>(&self, name: &str) -> Result<Option<T>> {
        let (number, type_oid) =
            self.column(name).ok_or_else(|| broken_statement(format!("the statement has no column {name}")))?;
        let mut is_null = false;
        // SAFETY: tuple and descriptor belong together. What is read is copied by from_datum.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.descriptor, number, &raw mut is_null);
            T::try_from_datum(datum, is_null, type_oid).map_err(broken_statement)
        }
    }

    /// A column that the statement never leaves NULL. XX000 when it does.
    pub fn not_null<T: FromDatum + IntoDatum>(&self, name: &str) -> Result<T> {
        self.get(name)?.ok_or_else(|| broken_statement(format!("the statement leaves {name} NULL")))
    }

    /// The number, from 1, and the type of a column.
    fn column(&self, name: &str) -> Option<(i32, pg_sys::Oid)> {
        columns(self.descriptor).find(|column| column.name == name.as_bytes()).map(|column| (column.number, column.oid))
    }

    /// The values of all columns, and which are NULL.
    pub fn values(&self) -> (Vec<pg_sys::Datum>, Vec<bool>) {
        // SAFETY: tuple and descriptor belong together, and there is room for each column.
        unsafe {
            let count = usize::try_from((*self.descriptor).natts).unwrap_or(0);
            let mut values = vec![pg_sys::Datum::null(); count];
            let mut nulls = vec![true; count];
            pg_sys::heap_deform_tuple(self.tuple, self.descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            (values, nulls)
        }
    }

    pub fn descriptor(&self) -> pg_sys::TupleDesc {
        self.descriptor
    }
}

impl ResultSet {
    pub fn empty() -> Self {
        Self { rows: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn count(&self) -> i32 {
        i32::try_from(self.rows.len()).unwrap_or(i32::MAX)
    }

    /// Puts the rows of another execution of the same statement behind these.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// Keeps the rows of which this is true.
    pub fn retain(&mut self, is_wanted: impl Fn(&Row) -> Result<bool>) -> Result<()> {
        let mut wanted = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            if is_wanted(row)? {
                wanted.push(*row);
            }
        }
        self.rows = wanted;
        Ok(())
    }
}

/// A column as a descriptor has it.
pub struct Column<'a> {
    pub name: &'a [u8],
    /// From 1.
    pub number: i32,
    pub oid: pg_sys::Oid,
    pub is_dropped: bool,
    /// How its values are stored.
    pub is_by_value: bool,
    pub length: i16,
}

/// The columns of a descriptor that outlives what reads them.
pub fn columns<'a>(descriptor: pg_sys::TupleDesc) -> impl Iterator<Item = Column<'a>> {
    // SAFETY: whoever hands over a descriptor keeps it for as long as its columns are read.
    let (described, count) = unsafe { (PgTupleDesc::from_pg_unchecked(descriptor), (*descriptor).natts) };
    (0..count).map_while(move |at| {
        let attribute = described.get(usize::try_from(at).ok()?)?;
        // SAFETY: a name in the catalog ends with a NUL byte, and lives as long as its descriptor.
        let name = unsafe { CStr::from_ptr(attribute.attname.data.as_ptr()) };
        Some(Column {
            name: name.to_bytes(),
            number: at + 1,
            oid: attribute.atttypid,
            is_dropped: attribute.attisdropped,
            is_by_value: attribute.attbyval,
            length: attribute.attlen,
        })
    })
}

/// The name of a descriptor's type, as SQL shows it.
pub fn type_name(descriptor: pg_sys::TupleDesc) -> String {
    // SAFETY: whoever hands over a descriptor keeps it; format_type_be answers for any OID.
    unsafe { CStr::from_ptr(pg_sys::format_type_be((*descriptor).tdtypeid)).to_string_lossy().into_owned() }
}
