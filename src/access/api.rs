//! The schema that PostgREST is to expose, where ours stays private.

use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;

use crate::install::{NEEDS_READ_COMMITTED, run_each};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, error, invalid_argument, null_argument};
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
    "assignment_pauses",
    "mentor_pauses",
    "message_templates",
    "days_off",
    "organization_evaluations",
    "reminders",
    "send_logs",
    "closed_periods",
    "closed_statements",
    "reminder_queue",
    "row_history",
    "reminder_events",
];

/// What they call.
const FUNCTIONS: &[&str] = &[
    "get_last_contact_date",
    "get_assignment_with_participants",
    "get_assignments_with_no_contact_since",
    "get_open_assignments_with_contact_dates",
    "update_last_contact_date",
    "correct_last_contact_date",
    "pause_assignment",
    "resume_assignment",
    "pause_mentor",
    "resume_mentor",
    "merge_peer_mentors",
    "evaluate_assignments",
    "preview_follow_ups",
    "explain_assignment",
    "assignment_timeline",
    "assignment_outlooks",
    "forgotten_assignments",
    "follow_up_effect",
    "simulate_follow_ups",
    "release_held_run",
    "rows_as_of",
    "row_versions",
    "contact_dates_as_of",
    "history_known_since",
    "due_assignments",
    "daily_summary",
    "current_user_id",
    "current_peer_mentor_id",
    "current_organization",
    "retry_failed_reminders",
    "restore_contact",
    "organization_health",
    "assignment_counts_as_of",
    "mentor_statement",
    "close_period",
    "verify_closed_periods",
    "claim_reminders",
    "mark_reminder_sent",
    "mark_reminders_sent",
    "mark_reminder_failed",
    "mark_reminders_failed",
    "extend_reminder_lease",
    "extend_reminder_leases",
    "record_delivery_failure",
    "record_delivery_failures",
    "return_reminders",
    "claim_digests",
    "mark_digest_sent",
    "record_digest_failure",
    "record_delivery_event",
    "unsubscribe",
    "record_provider_message",
];

/// By which a schema that was made here is known.
const COMMENT: &str = "The API of assignment_reminders, made by install_api().";

/// Makes a schema for PostgREST to expose in place of assignment_reminders: of each table that clients use a view, and of each function that they
/// call one with the same name and arguments. Both work with the rights of whoever uses them, so policies stay where they
/// are, on the tables; and whoever was granted rights on these has them on the views, and EXECUTE on the functions. All of it belongs to the
/// caller. Call it again after an upgrade, after enable_row_security() and other grants, and after adding columns of your own: functions are made
/// anew, views keep what you granted on them. Returns what was made.
///
/// 42501 for anybody but the tables' owner, or where an object in the schema is another role's; 42P06 for a schema that is there and was not made
/// by this function, 22004 for NULL, 22023 for assignment_reminders itself or a schema of Postgres's, 25001 in a transaction that is not READ
/// COMMITTED.
#[pg_extern(volatile)]
fn install_api(schema_name: Option<&str>) -> Result<String> {
    static OBSTACLE: Statement = Statement::kept(
        include_str!("../../sql/access/api_obstacle.sql"),
        &[types::TEXT, types::TEXTS, types::TEXTS, types::TEXT],
    );
    static API: Statement = Statement::kept(
        include_str!("../../sql/access/api.sql"),
        &[types::TEXT, types::TEXTS, types::TEXTS, types::TEXT],
    );
    let schema = schema_name.ok_or_else(|| null_argument("schema_name"))?;
    if schema.is_empty()
        || schema.len() > 63
        || schema == "assignment_reminders"
        || schema == "information_schema"
        || schema.starts_with("pg_")
    {
        return Err(invalid_argument(
            format!("{schema:?} cannot be the schema of the API"),
            "It holds views of the tables, and stands beside them. A name has at most 63 bytes.",
            "Give a name of your own, such as api.",
        ));
    }
    require_owner("install_api()")?;
    require_read_committed("install_api()", NEEDS_READ_COMMITTED)?;
    AdvisoryLock::Install.take();
    let arguments = [schema.into(), RELATIONS.to_vec().into(), FUNCTIONS.to_vec().into(), COMMENT.into()];
    let obstacle = OBSTACLE.write(&arguments, |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some((row.not_null::<String>("what")?, row.not_null::<bool>("is_taken")?)))
    })?;
    if let Some((what, is_taken)) = obstacle {
        let sqlstate = if is_taken {
            PgSqlErrorCode::ERRCODE_DUPLICATE_SCHEMA
        } else {
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE
        };
        return Err(error(
            sqlstate,
            what,
            "Nothing that is there is replaced, but what install_api() made for the same role.",
            "Give the name of a schema that is not there yet, or drop what is in the way.",
        ));
    }
    run_each(&API, &arguments)?;
    Ok(format!(
        "assignment_reminders {}: {} views and {} functions in the schema {schema}",
        env!("CARGO_PKG_VERSION"),
        RELATIONS.len(),
        FUNCTIONS.len()
    ))
}
