//! Waking those who LISTEN on the channel assignment_reminders. Postgres delivers equal notifications of a transaction
//! once, when it commits. Only what enqueues or gives up notifies, never the hot paths: committing takes a global lock.

use crate::server::errors::Result;
use crate::server::statement::{Statement, types};

/// There is something to claim.
pub fn enqueued() -> Result<()> {
    notify("enqueued")
}

/// A reminder failed for good.
pub fn failed() -> Result<()> {
    notify("failed")
}

fn notify(payload: &str) -> Result<()> {
    static NOTIFY: Statement = Statement::kept("SELECT pg_notify('assignment_reminders', $1)", &[types::TEXT]);
    NOTIFY.run(&[payload.into()])
}
