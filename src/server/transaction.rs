//! What this backend remembers until its transaction ends. Owns that; what is remembered is others'. What a subtransaction remembered
//! stays when it is rolled back; whom that matters to keeps the subtransaction with it.

use std::cell::RefCell;
use std::thread::LocalKey;

use pgrx::pg_sys;

/// A memory, with the transaction that it belongs to.
pub type Memory<T> = RefCell<(Option<pg_sys::TransactionId>, T)>;

/// Hands over what this transaction, which writes, remembers: nothing at its beginning.
pub fn remembered<T: Default + 'static, R>(memory: &'static LocalKey<Memory<T>>, work: impl FnOnce(&mut T) -> R) -> R {
    // SAFETY: gives this transaction its number, where it has none yet: it is writing.
    let transaction = unsafe { pg_sys::GetTopTransactionId() };
    memory.with_borrow_mut(|(of, remembered)| {
        if *of != Some(transaction) {
            (*of, *remembered) = (Some(transaction), T::default());
        }
        work(remembered)
    })
}

/// The part of the transaction that is at work: its subtransaction, or itself.
pub fn part() -> pg_sys::TransactionId {
    // SAFETY: as above.
    unsafe { pg_sys::GetCurrentTransactionId() }
}

/// Whether a part of this transaction was rolled back.
pub fn was_rolled_back(part: pg_sys::TransactionId) -> bool {
    // SAFETY: looks the state of a transaction up.
    unsafe { pg_sys::TransactionIdDidAbort(part) }
}
