//! Letting go of the tables: they stay, with their rows, and need the extension no more.

use std::panic::AssertUnwindSafe;

use pgrx::notice;
use pgrx::prelude::*;

use super::definitions::{table_names, view_names};
use super::{Lock, NEEDS_READ_COMMITTED, lock_tables, run};
use crate::access;
use crate::schedule;
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::Result;
use crate::server::owner::require_owner;
use crate::server::row_security::Whole;
use crate::server::search_path::with_ours;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::attempt;

/// Takes away what ties the tables to the extension, in one transaction: the caller's pg_cron jobs, triggers, policies and
/// views of ours. Defaults of organization_id become the organization that the session's claims or setting name, else the
/// default one (after require_organization(true): none), without a function of ours, and columns that triggers filled get a
/// default, so that inserts go on working. Every row, constraint and index stays; DROP EXTENSION then succeeds without
/// CASCADE. Row security stays on where it was: whom it binds, sees nothing until there are other policies. Counts and contact
/// dates are no longer kept, until CREATE EXTENSION and install() catch up. Returns what was done.
///
/// 42501 when the caller does not own the tables, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
fn uninstall() -> Result<String> {
    const WHOLE: Whole = Whole::reads(&["contact_corrections"]);
    static COMMANDS: Statement =
        Statement::kept(include_str!("../../sql/install/uninstall.sql"), &[types::TEXTS, types::TEXTS]);
    require_read_committed("uninstall()", NEEDS_READ_COMMITTED)?;
    require_owner("uninstall()")?;
    WHOLE.require()?;
    AdvisoryLock::Install.take();

    let jobs = schedule::remove_every()?;
    lock_tables(Lock::Everybody)?;
    let policies = access::let_go()?;
    let views = view_names();
    let (mut triggers, mut dropped_views, mut defaults) = (0, 0, 0);
    let commands = with_ours(|| COMMANDS.write_rows(&[views.into(), table_names().into()]))??;
    for row in commands.rows() {
        let (kind, command): (String, String) = (row.not_null("kind")?, row.not_null("command")?);
        match kind.as_str() {
            "trigger" => {
                run(&command)?;
                triggers += 1;
            }
            "default" => {
                run(&command)?;
                defaults += 1;
            }
            _ => match attempt(AssertUnwindSafe(|| run(&command)))? {
                Ok(()) => dropped_views += 1,
                Err(failure) => notice!("a view stays: {} (SQLSTATE {})", failure.message, failure.sqlstate()),
            },
        }
    }
    Ok(format!(
        "assignment_reminders {}: {jobs} jobs unscheduled, {triggers} triggers, {policies} policies and {dropped_views} views dropped, \
         {defaults} defaults untied; every row is as it was",
        env!("CARGO_PKG_VERSION")
    ))
}
