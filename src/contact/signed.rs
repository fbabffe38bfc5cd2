//! Corrections as they were signed, before they are written: triggers of the owner's that come between must leave them so.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::{Uuid, pg_sys};

use crate::server::errors::{Result, require_written};
use crate::server::transaction::{Memory, part, remembered, was_rolled_back};

thread_local! {
    /// By assignment and number, with the part of the transaction that signed it.
    static EXPECTED: Memory<HashMap<([u8; 16], i32), (pg_sys::TransactionId, Signed)>> = RefCell::default();
}

/// What a correction says, and who it says it is by.
#[derive(PartialEq)]
pub struct Signed {
    pub previous_date: Option<Date>,
    pub new_date: Option<Date>,
    pub corrected_by: String,
    pub subject: Option<String>,
    pub created_at: TimestampWithTimeZone,
}

/// A correction was signed, and is to be written so.
pub fn expect(assignment: Uuid, number: i32, signed: Signed) {
    let signed = (part(), signed);
    remembered(&EXPECTED, |expected| expected.insert((*assignment.as_bytes(), number), signed));
}

/// The date that holds before the correction with this number: the one before it, of the same statement, may have yet to give it to
/// its assignment, where another is stored.
pub fn date_before(assignment: Uuid, number: i32, stored: Option<Date>) -> Option<Date> {
    remembered(&EXPECTED, |expected| match expected.get(&(*assignment.as_bytes(), number - 1)) {
        Some((part, signed)) if !was_rolled_back(*part) => signed.new_date,
        _ => stored,
    })
}

/// A correction was written: 55000 where it is not one that was signed.
pub fn require(assignment: Uuid, number: i32, written: &Signed) -> Result<()> {
    let signed = remembered(&EXPECTED, |expected| expected.remove(&(*assignment.as_bytes(), number)));
    let is_as_signed = signed.is_some_and(|(_, signed)| signed == *written);
    require_written("contact_corrections", "number, dates and signature", 1, usize::from(is_as_signed))
}
