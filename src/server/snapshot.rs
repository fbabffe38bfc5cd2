//! What a statement sees, as a value to compare: what was read under it need not be read again.

use pgrx::pg_sys;

/// Two that are equal see the same rows. Of other transactions: those that were running can only become fewer while the
/// newest that ended stays the same, and are as many. Of this one: it is the same, in the same subtransaction, and no command of it
/// wrote.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    oldest_running: pg_sys::TransactionId,
    after_newest_ended: pg_sys::TransactionId,
    running: (u32, i32),
    transaction_started: pg_sys::TimestampTz,
    subtransaction: pg_sys::SubTransactionId,
    command: pg_sys::CommandId,
}

impl Seen {
    /// By the snapshot of the statement that runs; `None` where there is none.
    pub fn now() -> Option<Self> {
        // SAFETY: an active snapshot is asked for where there is one, and read at once; the others read variables of this backend.
        unsafe {
            if !pg_sys::ActiveSnapshotSet() {
                return None;
            }
            let snapshot = &*pg_sys::GetActiveSnapshot();
            Some(Self {
                oldest_running: snapshot.xmin,
                after_newest_ended: snapshot.xmax,
                running: (snapshot.xcnt, snapshot.subxcnt),
                transaction_started: pg_sys::GetCurrentTransactionStartTimestamp(),
                subtransaction: pg_sys::GetCurrentSubTransactionId(),
                command: snapshot.curcid,
            })
        }
    }
}
