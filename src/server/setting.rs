//! Reading settings of the session and its transaction. Owns the calls; what a setting means is its reader's.

use std::ffi::{CStr, CString};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgSqlErrorCode, PgTryBuilder, pg_sys};

use super::errors::{Result, broken_statement, error};
use super::subtransaction::message_of;

/// The value of a setting; `None` when it is unset or empty, as a setting made with SET LOCAL is after the transaction.
pub fn setting(name: &CStr) -> Option<String> {
    with_setting(name, |value| value.to_string_lossy().into_owned())
}

/// Hands the value of a setting to `read`, unless it is unset or empty. `read` must not change settings.
pub fn with_setting<T>(name: &CStr, read: impl FnOnce(&CStr) -> T) -> Option<T> {
    // SAFETY: the name is a C string; with missing_ok, an unknown one gives NULL. The value stays until a setting changes.
    let value = unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        if value.is_null() {
            return None;
        }
        CStr::from_ptr(value)
    };
    (!value.is_empty()).then(|| read(value))
}

/// 25001 where a statement of this transaction does not see what was committed before it. `detail` says what the function would miss.
pub fn require_read_committed(function: &str, detail: &str) -> Result<()> {
    // SAFETY: a plain read of this backend's own variable.
    let level = unsafe { pg_sys::XactIsoLevel };
    if level < pg_sys::XACT_REPEATABLE_READ.cast_signed() {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        format!("{function} needs a READ COMMITTED transaction"),
        detail,
        "Call it on its own, or after BEGIN ISOLATION LEVEL READ COMMITTED.",
    ))
}

/// A setting that has another value until this ends. It also ends with its transaction, or with its subtransaction, by an error
/// that passes.
pub struct Nested {
    level: i32,
}

impl Nested {
    pub fn begin(name: &CStr, value: &CStr) -> Result<Self> {
        Self::begin_all(&[(name, value)])
    }

    fn begin_all(settings: &[(&CStr, &CStr)]) -> Result<Self> {
        // SAFETY: the nesting that is begun here is ended by `end`, or by whoever handles an error.
        let level = unsafe { pg_sys::NewGUCNestLevel() };
        for (name, value) in settings {
            // SAFETY: both are C strings.
            let status = unsafe {
                pg_sys::set_config_option(
                    name.as_ptr(),
                    value.as_ptr(),
                    pg_sys::GucContext::PGC_USERSET,
                    pg_sys::GucSource::PGC_S_SESSION,
                    pg_sys::GucAction::GUC_ACTION_SAVE,
                    true,
                    0,
                    false,
                )
            };
            if status < 0 {
                return Err(broken_statement(format!("the setting {} could not be changed", name.to_string_lossy())));
            }
        }
        Ok(Self { level })
    }

    pub fn end(self) {
        // SAFETY: ends the nesting that was begun, and those within it.
        unsafe { pg_sys::AtEOXact_GUC(true, self.level) }
    }

    /// Does `work` under it.
    pub fn during<T>(name: &CStr, value: &CStr, work: impl FnOnce() -> T) -> Result<T> {
        Self::all_during(&[(name, value)], work)
    }

    /// Does `work` under these.
    pub fn all_during<T>(settings: &[(&CStr, &CStr)], work: impl FnOnce() -> T) -> Result<T> {
        let nested = Self::begin_all(settings)?;
        let result = work();
        nested.end();
        Ok(result)
    }
}

/// Runs `work` with just-in-time compilation off: what it would save does not pay for compiling at each call.
pub fn without_jit<T>(work: impl FnOnce() -> T) -> Result<T> {
    Nested::during(c"jit", c"off", work)
}

/// Does `work`, in which no lock is waited for longer than this; the session's own lock_timeout stays where it is shorter. 55P03 beyond.
pub fn with_lock_timeout<T>(wait: Duration, work: impl FnOnce() -> T) -> Result<T> {
    // SAFETY: a plain read of this backend's own variable.
    let own = unsafe { pg_sys::LockTimeout };
    let ours = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1);
    let milliseconds = if own > 0 { own.min(ours) } else { ours };
    let value = CString::new(milliseconds.to_string()).map_err(broken_statement)?;
    Nested::during(c"lock_timeout", &value, work)
}

/// The same, where 55P03 is told as `too_late` tells it, given Postgres's words. It ends the transaction as Postgres's own error would, so nothing is undone here.
pub fn within<T>(
    wait: Duration,
    too_late: impl FnOnce(String) -> ErrorReport,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| with_lock_timeout(wait, work)?.map(Ok)))
        .catch_when(PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE, |caught| Ok(Err(message_of(&caught))))
        .execute();
    outcome?.map_err(too_late)
}

/// 25006 where this transaction may not write: it was begun so, or the server is a standby.
pub fn require_writable() -> Result<()> {
    // SAFETY: a plain read of this backend's own variable.
    if unsafe { !pg_sys::XactReadOnly } {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
        "this function writes, which a read-only transaction may not",
        "The transaction was begun READ ONLY, or this server is a standby.",
        "Call it on the primary, in a transaction that may write.",
    ))
}
