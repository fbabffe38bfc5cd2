//! The correction that a function of ours is inserting: what its triggers are to know of it, and the function of them.

use std::cell::Cell;

use pgrx::Uuid;

use crate::server::errors::Result;
use crate::server::own_trigger::depth;
use crate::server::swap;

/// Which way a correction may move the date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Either,
}

#[derive(Clone, Copy)]
struct Asked {
    assignment: [u8; 16],
    direction: Direction,
    /// The depth of triggers at which the function inserts it.
    depth: i32,
    is_settled: bool,
}

thread_local! {
    static ASKED: Cell<Option<Asked>> = const { Cell::new(None) };
}

/// Inserts a correction, and tells whether it was settled: not where a trigger of the owner's dropped it.
pub fn applied(assignment: Uuid, direction: Direction, insert: impl FnOnce() -> Result<()>) -> Result<bool> {
    let asked = Asked { assignment: *assignment.as_bytes(), direction, depth: depth(), is_settled: false };
    swap::with(&ASKED, Some(asked), || insert().map(|()| ASKED.get().is_some_and(|asked| asked.is_settled)))
}

/// Which way the correction that a trigger was fired for may move the date.
pub fn direction(assignment: Uuid) -> Direction {
    fired_for(assignment).map_or(Direction::Either, |asked| asked.direction)
}

/// The correction that a trigger was fired for was written, or is not to be.
pub fn settle(assignment: Uuid) {
    if let Some(asked) = fired_for(assignment) {
        ASKED.set(Some(Asked { is_settled: true, ..asked }));
    }
}

/// What was asked for, where the trigger that asks was fired for that, and not for one that a trigger of the owner's inserts meanwhile.
fn fired_for(assignment: Uuid) -> Option<Asked> {
    ASKED.get().filter(|asked| asked.assignment == *assignment.as_bytes() && depth() == asked.depth + 1)
}
