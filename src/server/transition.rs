//! Reading a statement trigger's transition tables as they lie in memory. A statement that reads them costs more than most
//! triggers have to do.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{FromDatum, IntoDatum, PgTrigger, pg_sys};

use super::errors::{Result, wrong_trigger};
use super::rows::columns;

/// The rows that a trigger's statement wrote, before or after.
#[derive(Clone, Copy)]
pub enum Side {
    Old,
    New,
}

impl Side {
    /// The transition table. NULL where the trigger has none.
    fn store(self, trigger: &PgTrigger) -> *mut pg_sys::Tuplestorestate {
        let data = trigger.trigger_data();
        match self {
            Self::Old => data.tg_oldtable,
            Self::New => data.tg_newtable,
        }
    }
}

/// The columns of the trigger's table, which are those of its transition tables.
pub fn descriptor(trigger: &PgTrigger) -> pg_sys::TupleDesc {
    // SAFETY: the trigger data and its relation live as long as the trigger call.
    unsafe { (*trigger.trigger_data().tg_relation).rd_att }
}

/// Whether the trigger's statement wrote no rows. True where there is no transition table.
pub fn is_empty(trigger: &PgTrigger, side: Side) -> bool {
    let store = side.store(trigger);
    // SAFETY: the tuplestore lives as long as the trigger call.
    store.is_null() || unsafe { pg_sys::tuplestore_tuple_count(store) == 0 }
}

/// A transition table that is read row by row.
pub struct Reader {
    store: *mut pg_sys::Tuplestorestate,
    pointer: i32,
    slot: *mut pg_sys::TupleTableSlot,
}

impl Reader {
    /// `None` where the trigger has no such table.
    pub fn of(trigger: &PgTrigger, side: Side) -> Option<Self> {
        let store = side.store(trigger);
        if store.is_null() {
            return None;
        }
        // SAFETY: a read pointer of our own leaves those of other readers where they are.
        unsafe {
            let pointer = pg_sys::tuplestore_alloc_read_pointer(store, pg_sys::EXEC_FLAG_REWIND.cast_signed());
            pg_sys::tuplestore_select_read_pointer(store, pointer);
            pg_sys::tuplestore_rescan(store);
            let slot = pg_sys::MakeSingleTupleTableSlot(descriptor(trigger), &raw const pg_sys::TTSOpsMinimalTuple);
            Some(Self { store, pointer, slot })
        }
    }

    /// Goes to the next row; false where there is none.
    pub fn advance(&mut self) -> bool {
        // SAFETY: as above; somebody else may have selected a pointer of theirs meanwhile.
        unsafe {
            pg_sys::tuplestore_select_read_pointer(self.store, self.pointer);
            pg_sys::tuplestore_gettupleslot(self.store, true, false, self.slot)
        }
    }

    /// The value of a column, by its number from 1; None where it is NULL.
    pub fn value(&self, number: i32) -> Option<pg_sys::Datum> {
        let mut is_null = false;
        // SAFETY: the slot holds a row of the descriptor that the number is from.
        let datum = unsafe { pg_sys::slot_getattr(self.slot, number, &raw mut is_null) };
        (!is_null).then_some(datum)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: nothing is read from the slot any more.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) }
    }
}

/// What is raised where there is none.
pub fn no_table() -> ErrorReport {
    wrong_trigger("it has no transition table")
}

/// Calls `each` with a column of every row of a transition table; NULLs are left out. 39P01 where the trigger has no such
/// table, or the table no such column.
pub fn for_each<T: FromDatum + IntoDatum>(
    trigger: &PgTrigger,
    side: Side,
    column: &str,
    mut each: impl FnMut(T),
) -> Result<()> {
    let mut reader = Reader::of(trigger, side).ok_or_else(no_table)?;
    let found = columns(descriptor(trigger)).find(|found| {
        // A domain over the type will do.
        // SAFETY: looks types up in the catalog's caches.
        found.name == column.as_bytes() && unsafe { pg_sys::IsBinaryCoercible(found.oid, T::type_oid()) }
    });
    let number = found.ok_or_else(|| wrong_trigger(format!("its table has no column {column}")))?.number;
    while reader.advance() {
        // SAFETY: the column is of this type, or a domain over it; what is read is copied.
        if let Some(value) = reader.value(number).and_then(|datum| unsafe { T::from_datum(datum, false) }) {
            each(value);
        }
    }
    Ok(())
}
