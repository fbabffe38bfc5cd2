//! The schema that PostgREST is to expose, where ours stays private.

use pgrx::prelude::*;

use crate::install::{NEEDS_READ_COMMITTED, run_each};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::owner::require_owner;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};

/// What people and programs read and write.
const RELATIONS: &[&str] = &[
    "organizations",
    "reminder_settings",
    "users",
    "user_preferences",
    "peer_mentors",
    "assignments",
    "activities",
    "contact_corrections",
    "reminders",
    "send_logs",
    "reminder_queue",
];

/// What they call.
const FUNCTIONS: &[&str] = &[
    "get_last_contact_date",
    "get_assignment_with_participants",
    "get_assignments_with_no_contact_since",
    "get_open_assignments_with_contact_dates",
    "update_last_contact_date",
    "correct_last_contact_date",
    "due_assignments",
    "daily_summary",
    "current_user_id",
    "current_peer_mentor_id",
    "current_organization",
    "retry_failed_reminders",
    "restore_contact",
    "organization_health",
    "claim_reminders",
    "mark_reminder_sent",
    "mark_reminders_sent",
    "mark_reminder_failed",
    "mark_reminders_failed",
    "extend_reminder_lease",
    "extend_reminder_leases",
    "record_delivery_event",
];

/// Makes a schema for PostgREST to expose in place of assignment_reminders: of each table that clients use a view, and of each function that they
/// call one with the same name and arguments. Both work with the rights of whoever uses them, so grants and policies stay where they
/// are, on the tables; whoever uses them needs USAGE on assignment_reminders too, which enable_row_security() grants. All of it belongs to the
/// caller. Call it again after an upgrade, and after adding columns of your own. Returns what was made.
///
/// 42501 for anybody but the tables' owner, 22004 for NULL, 22023 for the schema assignment_reminders itself or one of Postgres's, 42809 or
/// 42P07 where something else has a name that a view needs, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
fn install_api(schema_name: Option<&str>) -> Result<String> {
    static API: Statement =
        Statement::kept(include_str!("../../sql/access/api.sql"), &[types::TEXT, types::TEXTS, types::TEXTS]);
    let schema = schema_name.ok_or_else(|| null_argument("schema_name"))?;
    if schema.is_empty()
        || schema == "assignment_reminders"
        || schema == "information_schema"
        || schema.starts_with("pg_")
    {
        return Err(invalid_argument(
            format!("{schema:?} cannot be the schema of the API"),
            "It holds views of the tables, and stands beside them.",
            "Give a name of your own, such as api.",
        ));
    }
    require_owner("install_api()")?;
    require_read_committed("install_api()", NEEDS_READ_COMMITTED)?;
    AdvisoryLock::Install.take();
    run_each(&API, &[schema.into(), RELATIONS.to_vec().into(), FUNCTIONS.to_vec().into()])?;
    Ok(format!(
        "assignment_reminders {}: {} views and {} functions in the schema {schema}",
        env!("CARGO_PKG_VERSION"),
        RELATIONS.len(),
        FUNCTIONS.len()
    ))
}
