//! Trying work in a subtransaction, so that its failure can be told instead of passed on. Owns that; decides nothing.

use std::panic::{AssertUnwindSafe, UnwindSafe};

use pgrx::pg_sys::panic::{CaughtError, ErrorReport};
use pgrx::{PgSqlErrorCode, PgTryBuilder, pg_sys};

use super::errors::Result;

/// Why the work failed.
pub struct Failure {
    pub code: PgSqlErrorCode,
    pub message: String,
}

impl Failure {
    /// The five characters that Postgres packs, six bits each, into an error code.
    pub fn sqlstate(&self) -> String {
        (0..5u32).map(|place| char::from((((self.code as u32) >> (6 * place)) & 0x3F) as u8 + b'0')).collect()
    }
}

/// Does `work`; all that it wrote is undone when it fails. A cancelled query is passed on, as PL/pgSQL does: whoever
/// cancels wants the statement to end.
pub fn attempt<T>(work: impl FnOnce() -> Result<T> + UnwindSafe) -> Result<std::result::Result<T, Failure>> {
    let subtransaction = Subtransaction::begin();
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| work().map_err(described)))
        .catch_others(|caught| Err(caught_error(&caught)))
        .catch_rust_panic(|caught| Err(caught_error(&caught)))
        .execute();
    subtransaction.end(outcome.is_ok());

    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err((PgSqlErrorCode::ERRCODE_QUERY_CANCELED, message)) => {
            Err(ErrorReport::new(PgSqlErrorCode::ERRCODE_QUERY_CANCELED, message, "assignment_reminders"))
        }
        Err((code, message)) => Ok(Err(Failure { code, message })),
    }
}

/// 55P03: a lock was not to be had in time.
pub fn is_lock_not_available(sqlstate: &str) -> bool {
    sqlstate == "55P03"
}

/// As `attempt`, of failures whose SQLSTATE `is_told` names. All others are passed on as they are.
pub fn attempt_where<T>(
    is_told: impl FnOnce(&str) -> bool,
    work: impl FnOnce() -> Result<T>,
) -> Result<std::result::Result<T, Failure>> {
    let subtransaction = Subtransaction::begin();
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| Ok(work()))).catch_others(Err).catch_rust_panic(Err).execute();
    subtransaction.end(matches!(outcome, Ok(Ok(_))));
    match outcome {
        Ok(done) => done.map(Ok),
        Err(caught @ CaughtError::RustPanic { .. }) => caught.rethrow(),
        Err(caught) => {
            let (code, message) = caught_error(&caught);
            let failure = Failure { code, message };
            if is_told(&failure.sqlstate()) { Ok(Err(failure)) } else { caught.rethrow() }
        }
    }
}

/// Does `work`. What it wrote and locked is kept where it returns something, and undone where it returns nothing or fails.
pub fn kept_where_some<T>(work: impl FnOnce() -> Result<Option<T>>) -> Result<Option<T>> {
    let subtransaction = Subtransaction::begin();
    let undone = |caught: CaughtError| -> Result<Option<T>> {
        subtransaction.end(false);
        caught.rethrow()
    };
    let outcome = PgTryBuilder::new(AssertUnwindSafe(work)).catch_others(undone).catch_rust_panic(undone).execute();
    subtransaction.end(matches!(outcome, Ok(Some(_))));
    outcome
}

/// A subtransaction, and what is restored when it ends.
#[derive(Clone, Copy)]
struct Subtransaction {
    memory: pg_sys::MemoryContext,
    resources: pg_sys::ResourceOwner,
}

impl Subtransaction {
    fn begin() -> Self {
        // SAFETY: the calls, and what is restored after them, are those of PL/pgSQL's exception blocks.
        unsafe {
            let before = Self { memory: pg_sys::CurrentMemoryContext, resources: pg_sys::CurrentResourceOwner };
            pg_sys::BeginInternalSubTransaction(std::ptr::null());
            pg_sys::MemoryContextSwitchTo(before.memory);
            before
        }
    }

    fn end(self, commit: bool) {
        // SAFETY: as for `begin`; it is the innermost one, since all that is begun inside ends there.
        unsafe {
            if commit {
                pg_sys::ReleaseCurrentSubTransaction();
            } else {
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
            }
            pg_sys::MemoryContextSwitchTo(self.memory);
            pg_sys::CurrentResourceOwner = self.resources;
        }
    }
}

fn described(error: ErrorReport) -> (PgSqlErrorCode, String) {
    // An ErrorReport keeps its code to itself until it has a level; the only ones made below are broken statements.
    (PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, error.message().to_string())
}

/// What a caught error said.
pub fn message_of(caught: &CaughtError) -> String {
    caught_error(caught).1
}

fn caught_error(caught: &CaughtError) -> (PgSqlErrorCode, String) {
    match caught {
        CaughtError::PostgresError(report)
        | CaughtError::ErrorReport(report)
        | CaughtError::RustPanic { ereport: report, .. } => (report.sql_error_code(), report.message().to_string()),
    }
}
