//! The permit to write what no client may write: assignment_count and last_contact_date, and rows of a history. The triggers
//! that protect them let a write pass only where our own statement made it. A client has no way to forge that: it is a
//! variable of the backend, not a setting.

use std::cell::Cell;

use super::own_trigger::depth;
use super::swap;

thread_local! {
    /// The depth of triggers at which the statement that has the permit runs.
    static HELD_AT: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Does `work` with the permit, and gives it back after it and while an error unwinds.
pub fn with_permit<T>(work: impl FnOnce() -> T) -> T {
    swap::with(&HELD_AT, Some(depth()), work)
}

/// Whether the trigger that asks was fired by our own statement, and not by one of a trigger that ours fired.
pub fn is_held() -> bool {
    HELD_AT.get().is_some_and(|held| depth() == held + 1)
}
