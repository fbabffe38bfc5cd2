//! Waking those who LISTEN on the channel assignment_reminders. Postgres delivers equal notifications of a transaction
//! once, when it commits. Only what enqueues or gives up notifies, never the hot paths: committing takes a global lock.

use pgrx::prelude::*;

use super::asked::may_ask;
use crate::row_triggers::{OriginalRow, Triggered};
use crate::server::errors::{Result, raised};
use crate::server::own_trigger::require;
use crate::server::statement::{Statement, types};

/// There is something to claim.
pub fn enqueued() -> Result<()> {
    notify("enqueued")
}

/// A reminder failed for good.
pub fn failed() -> Result<()> {
    notify("failed")
}

/// Trigger: reminders that somebody inserts by hand wake workers as those do that are enqueued, which say so themselves.
#[pg_trigger]
fn tell_workers<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    let told = || if may_ask() { Ok(()) } else { enqueued() };
    raised(require(trigger, "tell_workers").and_then(|()| told()).map(|()| None))
}

fn notify(payload: &str) -> Result<()> {
    static NOTIFY: Statement = Statement::kept("SELECT pg_notify('assignment_reminders', $1)", &[types::TEXT]);
    NOTIFY.run(&[payload.into()])
}
