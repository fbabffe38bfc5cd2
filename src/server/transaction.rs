//! What this backend remembers until its transaction ends. Owns that; what is remembered is others'. What a subtransaction remembered
//! stays when it is rolled back: who asks must be right with too much.

use std::cell::RefCell;
use std::thread::LocalKey;

use pgrx::pg_sys;

/// A memory, with the start of the transaction that it belongs to.
pub type Memory<T> = RefCell<(pg_sys::TimestampTz, T)>;

/// Hands over what this transaction remembers, which is nothing at its beginning.
pub fn remembered<T: Default + 'static, R>(memory: &'static LocalKey<Memory<T>>, work: impl FnOnce(&mut T) -> R) -> R {
    // SAFETY: reads a variable of this backend.
    let started = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
    memory.with_borrow_mut(|(of, remembered)| {
        if *of != started {
            (*of, *remembered) = (started, T::default());
        }
        work(remembered)
    })
}
