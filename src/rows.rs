//! Single-row triggers: they adjust a row or refuse it. Their WHEN clauses (triggers.sql) decide when they are called.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pgbox::{AllocatedByPostgres, AllocatedByRust};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid, WhoAllocated};

use crate::server::errors::{Result, error};
use crate::server::permit;

/// What a trigger returns that changes nothing.
pub type Unchanged<'a> = Option<PgHeapTuple<'a, AllocatedByPostgres>>;

/// Sets `updated_at` to now, where the writer did not set it.
#[pg_trigger]
fn set_updated_at<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, impl WhoAllocated>>> {
    let mut row = new_row(trigger)?.into_owned();
    set(&mut row, "updated_at", pgrx::datum::datetime_support::now())?;
    Ok(Some(row))
}

/// Makes completed and status agree: the one that changed leads. On insert, whichever says completed.
#[pg_trigger]
fn sync_completed<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, impl WhoAllocated>>> {
    let mut row = new_row(trigger)?.into_owned();
    let completed = row.get_by_name::<bool>("completed").map_err(unreadable)?.unwrap_or(false);
    let completed_led = match trigger.old() {
        Some(old) => old.get_by_name::<bool>("completed").map_err(unreadable)? != Some(completed),
        None => completed,
    };
    let status_led = match trigger.old() {
        Some(old) => {
            old.get_by_name::<String>("status").map_err(unreadable)?
                != row.get_by_name::<String>("status").map_err(unreadable)?
        }
        None => !completed,
    };
    // Both changed and they contradict each other: the CHECK constraint says so.
    if completed_led && !status_led {
        set(&mut row, "status", if completed { "completed" } else { "open" })?;
    } else if status_led && !completed_led {
        set(&mut row, "completed", !completed)?;
    }
    Ok(Some(row))
}

/// Refuses a count that did not come from `maintain_assignment_count`. 428C9.
#[pg_trigger]
fn protect_assignment_count<'a>(trigger: &'a PgTrigger<'a>) -> Result<Unchanged<'a>> {
    protect(
        trigger,
        "assignment_count",
        "peer mentor",
        "Payments rely on this count, so it is kept by triggers on assignments and equals count(*) at every commit.",
        "Leave the column out. If the count is wrong, call assignment_reminders.repair_assignment_counts().",
    )
}

/// Refuses a contact date that did not come from activities or a correction. 428C9.
#[pg_trigger]
fn protect_last_contact_date<'a>(trigger: &'a PgTrigger<'a>) -> Result<Unchanged<'a>> {
    protect(
        trigger,
        "last_contact_date",
        "assignment",
        "The contact date follows from the activities, and corrections are kept with their reason.",
        "Insert an activity, or call assignment_reminders.update_last_contact_date() to move the date forward, or assignment_reminders.correct_last_contact_date() to correct it.",
    )
}

fn protect<'a>(
    trigger: &'a PgTrigger<'a>,
    column: &str,
    what: &str,
    detail: &str,
    hint: &str,
) -> Result<Unchanged<'a>> {
    let row = new_row(trigger)?;
    if permit::is_held() {
        return Ok(Some(row));
    }
    let id = row.get_by_name::<Uuid>("id").map_err(unreadable)?;
    let id = id.map_or_else(|| "without id".to_string(), |id| id.to_string());
    Err(error(
        PgSqlErrorCode::ERRCODE_GENERATED_ALWAYS,
        format!("{column} of {what} {id} cannot be written directly"),
        detail,
        hint,
    ))
}

/// Refuses an activity more than a day ahead. 22008.
#[pg_trigger]
fn refuse_future_activity<'a>(trigger: &'a PgTrigger<'a>) -> Result<Unchanged<'a>> {
    let row = new_row(trigger)?;
    let occurred_at = row.get_by_name::<TimestampWithTimeZone>("occurred_at").map_err(unreadable)?;
    let occurred_at = occurred_at.map_or_else(|| "NULL".to_string(), |moment| moment.to_string());
    Err(error(
        PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("an activity cannot have occurred at {occurred_at}, more than a day ahead"),
        "A contact in the future would keep its assignment from being followed up.",
        "Give the time at which the contact took place; register planned contacts when they have happened.",
    ))
}

/// Refuses to change a history. 2F002.
#[pg_trigger]
fn refuse_update<'a>(trigger: &'a PgTrigger<'a>) -> Result<Unchanged<'a>> {
    let table = trigger.table_name().map_err(unreadable)?;
    Err(error(
        PgSqlErrorCode::ERRCODE_S_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED,
        format!("rows of {table} cannot be changed"),
        "The table is a history: what was written stays as it was.",
        "Insert a new row instead.",
    ))
}

fn new_row<'a>(trigger: &'a PgTrigger<'a>) -> Result<PgHeapTuple<'a, AllocatedByPostgres>> {
    trigger.new().ok_or_else(|| {
        error(
            PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
            "this trigger function needs a new row",
            "It was attached to a DELETE or to a statement.",
            "Attach it as sql/install/triggers.sql does, or call assignment_reminders.install().",
        )
    })
}

fn set<T: pgrx::IntoDatum>(row: &mut PgHeapTuple<'_, AllocatedByRust>, column: &str, value: T) -> Result<()> {
    row.set_by_name(column, value).map_err(unreadable)
}

/// 39P01: the trigger is on a table that lacks its columns.
pub fn unreadable(cause: impl std::fmt::Display) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        format!("the trigger's table is not one of ours: {cause}"),
        "The trigger functions of assignment_reminders work on the tables that install() makes.",
        "Remove the trigger, or call assignment_reminders.install().",
    )
}
