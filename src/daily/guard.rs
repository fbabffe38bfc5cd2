//! The guard against a backlog: letting go what a run held. When a run holds anything is the rules' to say.

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::organization::existing_organization;
use crate::server::errors::{Result, null_argument};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

/// Releases what runs hold of an organization: follow-ups of which more than follow_up_limit became due by its last evaluation, as
/// evaluation_runs shows them. The next run enqueues what is due then, at whatever hour. Returns whether anything was held.
///
/// 02000 for an unknown organization, 22004 for NULL, 42501 for whoever row security binds and is not its coordinator or admin.
#[pg_extern(volatile)]
fn release_held_run(organization_id: Option<Uuid>) -> Result<bool> {
    static RELEASE: Statement = Statement::by_index(include_str!("../../sql/daily/release.sql"), &[types::UUID]);
    const WHOLE: Whole =
        Whole { updates: &["organization_evaluations"], ..Whole::reads(&["organization_evaluations"]) };
    let organization = organization_id.ok_or_else(|| null_argument("organization_id"))?;
    existing_organization(Some(organization))?;
    WHOLE.require_in(|| Ok(Some(organization)))?;
    let was_held: Option<bool> = RELEASE.write(&[organization.into()], |rows| rows.one("was_held"))?;
    Ok(was_held.is_some())
}
