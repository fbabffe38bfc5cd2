//! The advisory locks that functions take. Owns their keys: two numbers each, of which the first spells "asrm".

use pgrx::{IntoDatum, direct_function_call, pg_sys};

const CLASS: i32 = 0x6173_726D;

/// A lock that is held until the transaction ends.
#[derive(Clone, Copy)]
pub enum AdvisoryLock {
    /// Held by a daily run: one at a time.
    DailyRun = 1,
    /// Held by install().
    Install = 2,
    /// Held while a person is forgotten; shared, where it is to be had, by whoever writes a text that may quote somebody's address.
    Forgetting = 3,
    /// Held while admins are told what they must see to.
    Alerts = 4,
}

impl AdvisoryLock {
    /// The two numbers that `pg_locks` shows as classid and objid.
    pub const fn key(self) -> (i32, i32) {
        (CLASS, self as i32)
    }

    /// Waits for the lock.
    pub fn take(self) {
        // SAFETY: Postgres's own function, with its two arguments.
        unsafe { direct_function_call::<()>(pg_sys::pg_advisory_xact_lock_int4, &self.arguments()) };
    }

    /// Keeps everybody from holding the lock alone, unless somebody does or waits to, and says whether.
    pub fn try_to_share(self) -> bool {
        // SAFETY: as for `take`.
        unsafe { direct_function_call(pg_sys::pg_try_advisory_xact_lock_shared_int4, &self.arguments()) }
            .unwrap_or(false)
    }

    /// Takes the lock if nobody holds it, and says whether.
    pub fn try_to_take(self) -> bool {
        // SAFETY: as for `take`.
        unsafe { direct_function_call(pg_sys::pg_try_advisory_xact_lock_int4, &self.arguments()) }.unwrap_or(false)
    }

    fn arguments(self) -> [Option<pg_sys::Datum>; 2] {
        let (class, number) = self.key();
        [class.into_datum(), number.into_datum()]
    }
}
