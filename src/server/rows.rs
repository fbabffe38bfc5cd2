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

/// What has values by their names.
pub trait Named {
    fn named<V: FromDatum + IntoDatum>(&self, name: &str) -> Result<Option<V>>;
}

impl Named for Row {
    fn named<V: FromDatum + IntoDatum>(&self, name: &str) -> Result<Option<V>> {
        self.get(name)
    }
}

impl Row {
    /// A column by its name. XX000 when there is none, or when it is of another type.
    pub fn get<T: FromDatum + IntoDatum>(&self, name: &str) -> Result<Option<T>> {
        let (at, type_oid) = self.place(name)?;
        let mut is_null = false;
        // SAFETY: tuple and descriptor belong together. What is read is copied by from_datum.
        unsafe {
            let number = i32::try_from(at + 1).map_err(broken_statement)?;
            let datum = pg_sys::SPI_getbinval(self.tuple, self.descriptor, number, &raw mut is_null);
            T::try_from_datum(datum, is_null, type_oid).map_err(broken_statement)
        }
    }

    /// A column that the statement never leaves NULL. XX000 when it does.
    pub fn not_null<T: FromDatum + IntoDatum>(&self, name: &str) -> Result<T> {
        self.get(name)?.ok_or_else(|| broken_statement(format!("the statement leaves {name} NULL")))
    }

    /// Where a column stands, and its type. XX000 when there is none.
    fn place(&self, name: &str) -> Result<(usize, pg_sys::Oid)> {
        // SAFETY: whoever hands over a descriptor keeps it for as long as its rows are read.
        let (described, count) = unsafe { (PgTupleDesc::from_pg_unchecked(self.descriptor), (*self.descriptor).natts) };
        let count = usize::try_from(count).unwrap_or(0);
        let found = (0..count).find_map(|at| {
            let attribute = described.get(at)?;
            is_named(&attribute.attname, name).then_some((at, attribute.atttypid))
        });
        found.ok_or_else(|| broken_statement(format!("the statement has no column {name}")))
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

    /// Puts the rows of another execution of the same statement behind these.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// What `read` makes of these columns of each row, with the row. They are looked for once, and each row is taken apart once.
    pub fn each<const N: usize, T>(
        &self,
        names: [&str; N],
        read: impl Fn(&Cells<N>) -> Result<T>,
    ) -> Result<Vec<(T, Row)>> {
        let Some(first) = self.rows.first() else { return Ok(Vec::new()) };
        let mut places = [(0, pg_sys::InvalidOid); N];
        for (place, name) in places.iter_mut().zip(names) {
            *place = first.place(name)?;
        }
        let read = |row: &Row| {
            let (values, nulls) = row.values();
            Ok((read(&Cells { names, places, values, nulls })?, *row))
        };
        self.rows.iter().map(read).collect()
    }
}

impl FromIterator<Row> for ResultSet {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        Self { rows: rows.into_iter().collect() }
    }
}

/// Columns of a row, in the order in which they were asked for.
pub struct Cells<'a, const N: usize> {
    names: [&'a str; N],
    places: [(usize, pg_sys::Oid); N],
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
}

impl<const N: usize> Cells<'_, N> {
    /// XX000 when it is of another type.
    pub fn get<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<Option<T>> {
        let (at, type_oid) = self.places[column];
        // SAFETY: the value is of this type, and is copied.
        unsafe { T::try_from_datum(self.values[at], self.nulls[at], type_oid) }.map_err(broken_statement)
    }

    /// One that the statement never leaves NULL. XX000 when it does.
    pub fn not_null<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<T> {
        self.get(column)?.ok_or_else(|| broken_statement(format!("the statement leaves {} NULL", self.names[column])))
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

/// Whether a name in the catalog is this one.
pub fn is_named(stored: &pg_sys::NameData, name: &str) -> bool {
    // SAFETY: characters are bytes.
    let stored = unsafe { std::slice::from_raw_parts(stored.data.as_ptr().cast::<u8>(), stored.data.len()) };
    stored.starts_with(name.as_bytes()) && stored.get(name.len()) == Some(&0)
}

/// The name of a descriptor's type, as SQL shows it.
pub fn type_name(descriptor: pg_sys::TupleDesc) -> String {
    // SAFETY: whoever hands over a descriptor keeps it; format_type_be answers for any OID.
    unsafe { CStr::from_ptr(pg_sys::format_type_be((*descriptor).tdtypeid)).to_string_lossy().into_owned() }
}
