//! Random numbers of Postgres's own.

use pgrx::{Uuid, direct_function_call, pg_sys};

use super::errors::{Result, broken_statement};

/// A UUID that nobody guesses.
pub fn uuid() -> Result<Uuid> {
    // SAFETY: Postgres's own function, without arguments.
    let made = unsafe { direct_function_call(pg_sys::gen_random_uuid, &[]) };
    made.ok_or_else(|| broken_statement("gen_random_uuid() returned NULL"))
}
