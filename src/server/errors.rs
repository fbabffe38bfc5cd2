//! Errors as users see them: a SQLSTATE, a message that names the value, a DETAIL and a HINT.
//!
//! The SQLSTATEs are Postgres's own: pgrx carries no others (it reports an unknown one as XX000).

use std::convert::Infallible;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::{ErrorReport, ErrorReportable};

use crate::rules::follow_up::NegativeThreshold;

pub type Result<T, E = ErrorReport> = std::result::Result<T, E>;

/// An error with everything a user needs to mend its cause.
pub fn error(
    code: PgSqlErrorCode,
    message: impl Into<String>,
    detail: impl Into<String>,
    hint: impl Into<String>,
) -> ErrorReport {
    ErrorReport::new(code, message.into(), "assignment_reminders").set_detail(detail).set_hint(hint)
}

/// 02000: no row has this id, or none that the caller may see.
pub fn unknown(what: &str, table: &str, id: pgrx::Uuid) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_NO_DATA,
        format!("{what} {id} does not exist"),
        format!("No row of assignment_reminders.{table} with this id is visible to the current role."),
        "Check the id and, with row-level security, the organization the session speaks for.",
    )
}

/// 22004: an argument that must be given is NULL.
pub fn null_argument(name: &str) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
        format!("{name} must not be NULL"),
        "This argument has no meaning when it is missing.",
        format!("Give a value for {name}."),
    )
}

/// 22023: an argument is outside what it can mean.
pub fn invalid_argument(message: impl Into<String>, detail: impl Into<String>, hint: impl Into<String>) -> ErrorReport {
    error(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message, detail, hint)
}

/// 22023: a threshold is negative.
pub fn negative_threshold(threshold: NegativeThreshold) -> ErrorReport {
    invalid_argument(
        threshold.to_string(),
        "Silence is counted in whole days from zero.",
        "Give a number of days from 0, or NULL to switch the action off.",
    )
}

/// 39P01: the trigger is on another table or event than its own.
pub fn wrong_trigger(cause: impl std::fmt::Display) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        format!("this trigger function does not work here: {cause}"),
        "The trigger functions of assignment_reminders work on the tables that install() makes.",
        "Drop the trigger, and call assignment_reminders.install() to have the right ones put back.",
    )
}

/// 55000: a trigger of the owner's kept a count or a contact date of ours from being written as it is.
pub fn require_written(table: &str, column: &str, rows: usize, written: usize) -> Result<()> {
    if rows == written {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("{column} was to be written to {rows} rows of {table}, and {written} hold it"),
        "A trigger on the table, or a rule, dropped the write or put in another value.",
        format!(
            "Let triggers of yours on assignment_reminders.{table} pass on rows of which {column} changes, and leave that column alone."
        ),
    ))
}

/// 42804: a composite type is not the one that the library takes or returns.
pub fn altered_type(message: impl Into<String>) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
        message,
        "The type was altered, or the library and the extension's SQL are of different versions.",
        "Undo the ALTER TYPE, or make the versions match: ALTER EXTENSION assignment_reminders UPDATE.",
    )
}

/// XX000: a statement of ours did not do what it was written to do.
pub fn broken_statement(cause: impl std::fmt::Display) -> ErrorReport {
    ErrorReport::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, cause.to_string(), "assignment_reminders")
}

/// Raises the error of a trigger's work: pgrx would report an `Err` that a trigger function returns as a panic.
#[allow(clippy::unnecessary_wraps)] // the return type that pgrx asks of a trigger
pub fn raised<T>(result: Result<T>) -> Result<T, Infallible> {
    Ok(result.unwrap_or_report())
}
