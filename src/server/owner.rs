//! Running a trigger's work with the rights of its table's owner, as Postgres runs its own foreign keys: a role that may
//! insert activities and nothing else still moves the contact date. Nobody gains a right by it: only the trigger's own
//! statements run so, and the owner has those rights anyway.

use pgrx::{PgTrigger, pg_sys};

/// Does `work` as the owner of the table that the trigger is on, whatever the row security, and turns back after it.
pub fn as_table_owner<T>(trigger: &PgTrigger, work: impl FnOnce() -> T) -> T {
    let _restored = Identity::of_owner(trigger);
    work()
}

/// The identity to return to when dropped: after the work, and while an error unwinds.
struct Identity {
    user: pg_sys::Oid,
    context: i32,
}

impl Identity {
    fn of_owner(trigger: &PgTrigger) -> Self {
        let mut identity = Self { user: pg_sys::InvalidOid, context: 0 };
        // SAFETY: the relation is open while its trigger runs; Postgres's foreign keys switch identity by the same calls.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&raw mut identity.user, &raw mut identity.context);
            let owner = (*(*trigger.trigger_data().tg_relation).rd_rel).relowner;
            let flags = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_NOFORCE_RLS;
            pg_sys::SetUserIdAndSecContext(owner, identity.context | flags.cast_signed());
        }
        identity
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        // SAFETY: these are the values that Postgres gave us.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) }
    }
}
