//! Reading a statement trigger's transition tables as they lie in memory. A statement that reads them costs more than most
//! triggers have to do.

use pgrx::{FromDatum, IntoDatum, PgTrigger, pg_sys};

use super::errors::{Result, wrong_trigger};
use super::rows::columns;

/// The rows that a trigger's statement wrote, before or after.
#[derive(Clone, Copy)]
pub enum Side {
    Old,
    New,
}

/// Whether the trigger's statement wrote no rows. True where there is no transition table.
pub fn is_empty(trigger: &PgTrigger, side: Side) -> bool {
    // SAFETY: the trigger data and its tuplestores live as long as the trigger call.
    unsafe {
        let data = trigger.trigger_data();
        let store = match side {
            Side::Old => data.tg_oldtable,
            Side::New => data.tg_newtable,
        };
        store.is_null() || pg_sys::tuplestore_tuple_count(store) == 0
    }
}

/// Calls `each` with a column of every row of a transition table; NULLs are left out. 39P01 where the trigger has no such
/// table, or the table no such column.
pub fn for_each<T: FromDatum + IntoDatum>(
    trigger: &PgTrigger,
    side: Side,
    column: &str,
    mut each: impl FnMut(T),
) -> Result<()> {
    // SAFETY: the trigger data and its tuplestores live as long as the trigger call. A read pointer of our own leaves those of
    // other readers where they are; the slot is dropped, and the values were copied.
    unsafe {
        let data = trigger.trigger_data();
        let store = match side {
            Side::Old => data.tg_oldtable,
            Side::New => data.tg_newtable,
        };
        if store.is_null() {
            return Err(wrong_trigger("it has no transition table"));
        }
        let descriptor = (*data.tg_relation).rd_att;
        let found = columns(descriptor).find(|found| {
            // A domain over the type will do.
            found.name == column.as_bytes() && pg_sys::IsBinaryCoercible(found.oid, T::type_oid())
        });
        let number = found.ok_or_else(|| wrong_trigger(format!("its table has no column {column}")))?.number;

        let pointer = pg_sys::tuplestore_alloc_read_pointer(store, pg_sys::EXEC_FLAG_REWIND.cast_signed());
        pg_sys::tuplestore_select_read_pointer(store, pointer);
        pg_sys::tuplestore_rescan(store);
        let slot = pg_sys::MakeSingleTupleTableSlot(descriptor, &raw const pg_sys::TTSOpsMinimalTuple);
        while pg_sys::tuplestore_gettupleslot(store, true, false, slot) {
            let mut is_null = false;
            let datum = pg_sys::slot_getattr(slot, number, &raw mut is_null);
            if let Some(value) = T::from_datum(datum, is_null) {
                each(value);
            }
        }
        pg_sys::ExecDropSingleTupleTableSlot(slot);
    }
    Ok(())
}
