//! The permit to write the columns that no client may write: assignment_count and last_contact_date. The triggers that
//! protect them let a write pass only while our own statement runs. A client has no way to set this: it is a variable of
//! the backend, not a setting.

use std::cell::Cell;

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` with the permit, and gives it back after it and while an error unwinds.
pub fn with_permit<T>(work: impl FnOnce() -> T) -> T {
    let _returned = Returned(HELD.replace(true));
    work()
}

/// Whether our own statement is running.
pub fn is_held() -> bool {
    HELD.get()
}

struct Returned(bool);

impl Drop for Returned {
    fn drop(&mut self) {
        HELD.set(self.0);
    }
}
