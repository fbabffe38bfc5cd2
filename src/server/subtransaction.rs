//! Trying work in a subtransaction, so that its failure can be told instead of passed on. Owns that; decides nothing.

use std::panic::{AssertUnwindSafe, UnwindSafe};

use pgrx::pg_sys::panic::{CaughtError, ErrorReport};
use pgrx::{PgSqlErrorCode, PgTryBuilder, pg_sys};

use super::errors::Result;

/// Why the work failed.
pub struct Failure {
    pub sqlstate: String,
    pub message: String,
}

/// Does `work`; all that it wrote is undone when it fails. A cancelled query is passed on, as PL/pgSQL does: whoever
/// cancels wants the statement to end.
pub fn attempt<T>(work: impl FnOnce() -> Result<T> + UnwindSafe) -> Result<std::result::Result<T, Failure>> {
    // SAFETY: the calls, and what is restored after them, are those of PL/pgSQL's exception blocks.
    let (memory, resources) = unsafe { (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner) };
    let leave = |commit: bool| unsafe {
        if commit {
            pg_sys::ReleaseCurrentSubTransaction();
        } else {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
        }
        pg_sys::MemoryContextSwitchTo(memory);
        pg_sys::CurrentResourceOwner = resources;
    };

    unsafe {
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(memory);
    }
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| work().map_err(described)))
        .catch_others(|caught| Err(caught_error(caught)))
        .catch_rust_panic(|caught| Err(caught_error(caught)))
        .execute();
    leave(outcome.is_ok());

    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err((PgSqlErrorCode::ERRCODE_QUERY_CANCELED, message)) => {
            Err(ErrorReport::new(PgSqlErrorCode::ERRCODE_QUERY_CANCELED, message, "assignment_reminders"))
        }
        Err((code, message)) => Ok(Err(Failure { sqlstate: sqlstate(code), message })),
    }
}

fn described(error: ErrorReport) -> (PgSqlErrorCode, String) {
    // An ErrorReport keeps its code to itself until it has a level; the only ones made below are broken statements.
    (PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, error.message().to_string())
}

fn caught_error(caught: CaughtError) -> (PgSqlErrorCode, String) {
    match caught {
        CaughtError::PostgresError(report)
        | CaughtError::ErrorReport(report)
        | CaughtError::RustPanic { ereport: report, .. } => (report.sql_error_code(), report.message().to_string()),
    }
}

/// The five characters that Postgres packs, six bits each, into an error code.
fn sqlstate(code: PgSqlErrorCode) -> String {
    (0..5u32).map(|place| char::from((((code as u32) >> (6 * place)) & 0x3F) as u8 + b'0')).collect()
}
