//! How much a table or index of ours holds, without reading it.

use std::ffi::CStr;

use pgrx::pg_sys;

/// How many blocks it has; none where it is not there.
pub fn blocks(name: &CStr) -> u32 {
    // SAFETY: looks a name up in the catalog's caches; the relation is asked for its length, and closed again.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"assignment_reminders".as_ptr(), true);
        let relation = pg_sys::RelationIdGetRelation(pg_sys::get_relname_relid(name.as_ptr(), schema));
        if relation.is_null() {
            return 0;
        }
        let blocks = pg_sys::RelationGetNumberOfBlocksInFork(relation, pg_sys::ForkNumber::MAIN_FORKNUM);
        pg_sys::RelationClose(relation);
        blocks
    }
}
