//! Corrections as they were signed, before they are written: triggers of the owner's that come between must leave them so.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::Uuid;
use pgrx::datum::Date;

use crate::server::errors::{Result, require_written};
use crate::server::swap;
use crate::server::transaction::{Memory, remembered};

thread_local! {
    /// By assignment and number.
    static EXPECTED: Memory<HashMap<([u8; 16], i32), Signed>> = RefCell::default();
    /// Whether the correction that is being inserted was written, or is not to be.
    static IS_SETTLED: Cell<bool> = const { Cell::new(false) };
}

/// What a correction says, and who it says it is by.
#[derive(PartialEq)]
pub struct Signed {
    pub previous_date: Option<Date>,
    pub new_date: Option<Date>,
    pub corrected_by: String,
    pub subject: Option<String>,
}

/// A correction was signed, and is to be written so.
pub fn expect(assignment: Uuid, number: i32, signed: Signed) {
    remembered(&EXPECTED, |expected| expected.insert((*assignment.as_bytes(), number), signed));
}

/// A correction was written: 55000 where it is not one that was signed.
pub fn require(assignment: Uuid, number: i32, written: &Signed) -> Result<()> {
    let signed = remembered(&EXPECTED, |expected| expected.remove(&(*assignment.as_bytes(), number)));
    settle();
    let is_as_signed = signed.is_some_and(|signed| signed == *written);
    require_written("contact_corrections", "number, dates and signature", 1, usize::from(is_as_signed))
}

/// The correction that is being inserted needs no more.
pub fn settle() {
    IS_SETTLED.set(true);
}

/// Inserts a correction, and tells whether it was settled: not where a trigger of the owner's dropped it.
pub fn applied(insert: impl FnOnce() -> Result<()>) -> Result<bool> {
    swap::with(&IS_SETTLED, false, || insert().map(|()| IS_SETTLED.get()))
}
