//! Which organizations a run goes through, and when runs were. Owns the locks that keep these as they are meanwhile.

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::arguments;
use crate::server::errors::Result;
use crate::server::owner::as_owner_of;
use crate::server::statement::{Statement, types};

/// Every organization, kept from being deleted until this transaction ends. What somebody is deleting is left out, and waits for nobody.
pub fn lock() -> Result<Vec<Uuid>> {
    static LOCK: Statement = Statement::kept(include_str!("../../sql/daily/lock_organizations.sql"), &[]);
    // Its owner may lock rows that the caller may only read.
    as_owner_of("organizations", || LOCK.write(&[], |rows| rows.column("id")))
}

/// Those of them in which nobody is at work, such as releasing what is held: these wait for the next run.
pub fn lock_evaluations() -> Result<Vec<Uuid>> {
    static LOCK: Statement = Statement::by_index(include_str!("../../sql/daily/lock_evaluations.sql"), &[types::UUIDS]);
    let organizations = lock()?;
    as_owner_of("organizations", || LOCK.write(&[organizations.into()], |rows| rows.column("id")))
}

/// Whether a run goes over a time that a later one has been through.
pub fn is_replay(as_of: TimestampWithTimeZone) -> Result<bool> {
    static IS_REPLAY: Statement = Statement::by_index(include_str!("../../sql/daily/is_replay.sql"), &[types::MOMENT]);
    let is_replay: Option<bool> =
        as_owner_of("evaluation_runs", || IS_REPLAY.write(&[as_of.into()], |rows| rows.one("is_replay")))?;
    Ok(is_replay.unwrap_or(false))
}

/// When the two runs before as_of were that succeeded, the later one first, for whoever asks whose turn it is.
///
/// 22004 for NULL, 22008 for an infinite as_of.
#[pg_extern(stable)]
fn last_runs(as_of: Option<TimestampWithTimeZone>) -> Result<Vec<TimestampWithTimeZone>> {
    static RUNS: Statement = Statement::by_index(include_str!("../../sql/daily/last_runs.sql"), &[types::MOMENT]);
    let as_of = arguments::as_of(as_of)?;
    as_owner_of("evaluation_runs", || RUNS.read(&[as_of.into()], |rows| rows.column("as_of")))
}
