//! Setting a contact date otherwise than by an activity: forward by anybody who may, back only as an audited correction.

use chrono::{Days, NaiveDate};
use pgrx::datum::Date;
use pgrx::datum::datetime_support::now;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pgbox::AllocatedByRust;
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid, WhoAllocated};

use super::asked::{self, Direction};
use super::signed::{self, Signed};
use super::triggers::{lock, recompute};
use crate::claims::claims;
use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::rules::delivery::SkipReason;
use crate::server::calendar::calendar_date;
use crate::server::errors::{
    Result, error, invalid_argument, null_argument, raised, require_written, unknown, wrong_trigger,
};
use crate::server::own_trigger;
use crate::server::owner::{as_table_owner, session_user};
use crate::server::permit;
use crate::server::row_security::is_active;
use crate::server::statement::{Statement, types};

/// Moves an assignment's contact date forward to contact_date and returns the date that now holds; an earlier one
/// changes nothing.
///
/// 02000 for an unknown assignment, 22004 for NULL, 22008 for a date more than a day ahead.
#[pg_extern(volatile)]
fn update_last_contact_date(assignment_id: Option<Uuid>, contact_date: Option<Date>) -> Result<Option<Date>> {
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let date = contact_date.ok_or_else(|| null_argument("contact_date"))?;
    correct(id, Some(date), "moved forward by update_last_contact_date", Direction::Forward)
}

/// Sets an assignment's contact date, back as well as forward, and keeps who did it, when, why and what it was before.
/// NULL new_date: there never was contact. Contacts later than the new date are declared wrong (overruled_by); those that are
/// registered, or moved to the assignment, afterwards count again. Returns the date that now holds.
///
/// 02000 for an unknown assignment, 22023 without a reason, 22008 for a date more than a day ahead.
#[pg_extern(volatile)]
fn correct_last_contact_date(
    assignment_id: Option<Uuid>,
    new_date: Option<Date>,
    reason: Option<&str>,
) -> Result<Option<Date>> {
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).ok_or_else(|| {
        invalid_argument(
            format!("the correction of assignment {id} has no reason"),
            "Corrections are kept with the reason that they were made for.",
            "Say why the date is corrected, such as 'entered for the wrong student'.",
        )
    })?;
    correct(id, new_date, reason, Direction::Either)
}

/// Inserts a correction, as the caller, and returns the date that holds afterwards. The triggers do the rest, with the rights of
/// the tables' owner: what the caller may not see of the assignment's history must not change its date.
fn correct(id: Uuid, date: Option<Date>, reason: &str, direction: Direction) -> Result<Option<Date>> {
    static INSERT: Statement = Statement::by_index(
        include_str!("../../sql/contact/insert_correction.sql"),
        &[types::UUID, types::UUID, types::DATE, types::TEXT],
    );
    let (organization, _) = stored(id)?;
    let arguments = [id.into(), organization.into(), date.into(), reason.into()];
    let applied = asked::applied(id, direction, || INSERT.run(&arguments))?;
    require_written("contact_corrections", "new_date", 1, usize::from(applied))?;
    Ok(stored(id)?.1)
}

/// An assignment's organization and contact date, as the caller sees them.
fn stored(id: Uuid) -> Result<(Uuid, Option<Date>)> {
    static STORED: Statement = Statement::by_index(
        "SELECT a.organization_id, a.last_contact_date FROM assignment_reminders.assignments a WHERE a.id = $1",
        &[types::UUID],
    );
    let found = STORED.write(&[id.into()], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some((row.not_null("organization_id")?, row.get("last_contact_date")?)))
    })?;
    found.ok_or_else(|| unknown("assignment", "assignments", id))
}

pub fn refuse_future(date: Date, today: Date) -> Result<()> {
    let latest: NaiveDate = calendar_date("today", today)? + Days::new(1);
    if calendar_date("contact date", date)? <= latest {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("the contact date {date} is more than a day ahead"),
        format!(
            "Today is {today} in the organization's time zone. A contact in the future would keep its assignment from being followed up."
        ),
        "Give the date on which the contact took place.",
    ))
}

/// Trigger: a correction that a client inserts is numbered and signed here, whatever it says itself. 22008 for a date
/// more than a day ahead.
#[pg_trigger]
fn sign_correction<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(sign(trigger))
}

/// Trigger: a correction that a client inserts sets the contact date.
#[pg_trigger]
fn apply_correction<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(apply(trigger).map(|()| None))
}

fn sign<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    static SIGNATURE: Statement = Statement::by_index(include_str!("../../sql/contact/signature.sql"), &[types::UUID]);
    own_trigger::require(trigger, "sign_correction")?;
    let mut row = new_row(trigger)?.into_owned();
    let Some(assignment) = row.get_by_name::<Uuid>("assignment_id").map_err(wrong_trigger)? else {
        return Ok(Some(row));
    };
    // One that an import came with: record_imported_contact has said it all.
    if permit::is_held() {
        return Ok(Some(row));
    }
    // Before anything of it is read as the owner: whom row security binds learns of no assignment that they do not see.
    if is_active("contact_corrections") {
        require_visible(assignment)?;
    }
    let subject = claims()?.and_then(|claims| claims.subject.clone());
    let new_date = row.get_by_name::<Date>("new_date").map_err(wrong_trigger)?;
    let is_wanted = as_table_owner(trigger, || {
        lock(vec![assignment])?;
        SIGNATURE.write(&[assignment.into()], |mut rows| {
            // Unknown to us: the foreign key says so.
            let Some(found) = rows.next() else {
                row.set_by_name("number", 1).map_err(wrong_trigger)?;
                return Ok(true);
            };
            if let Some(new_date) = new_date {
                refuse_future(new_date, found.not_null("today")?)?;
            }
            let number: i32 = found.not_null("number")?;
            let previous_date = signed::date_before(assignment, number, found.get("last_contact_date")?);
            let is_back = previous_date.is_some_and(|last| new_date.is_none_or(|new| new <= last));
            if is_back && asked::direction(assignment) == Direction::Forward {
                asked::settle(assignment);
                return Ok(false);
            }
            let (corrected_by, created_at) = (session_user(), now());
            signed::expect(
                assignment,
                number,
                Signed {
                    previous_date,
                    new_date,
                    corrected_by: corrected_by.clone(),
                    subject: subject.clone(),
                    created_at,
                },
            );
            row.set_by_name("number", number).map_err(wrong_trigger)?;
            row.set_by_name("previous_date", previous_date).map_err(wrong_trigger)?;
            row.set_by_name("corrected_by", corrected_by).map_err(wrong_trigger)?;
            row.set_by_name("corrected_by_subject", subject).map_err(wrong_trigger)?;
            row.set_by_name("created_at", created_at).map_err(wrong_trigger)?;
            Ok(true)
        })
    })?;
    Ok(is_wanted.then_some(row))
}

fn apply(trigger: &PgTrigger) -> Result<()> {
    own_trigger::require(trigger, "apply_correction")?;
    let row = new_row(trigger)?;
    let (assignment, correction) = (column::<Uuid, _>(&row, "assignment_id")?, column::<Uuid, _>(&row, "id")?);
    let new_date = row.get_by_name::<Date>("new_date").map_err(wrong_trigger)?;
    let signed = Signed {
        previous_date: row.get_by_name("previous_date").map_err(wrong_trigger)?,
        new_date,
        corrected_by: column(&row, "corrected_by")?,
        subject: row.get_by_name("corrected_by_subject").map_err(wrong_trigger)?,
        created_at: column(&row, "created_at")?,
    };
    signed::require(assignment, column::<i32, _>(&row, "number")?, &signed)?;
    asked::settle(assignment);
    if permit::is_held() {
        return Ok(());
    }
    as_table_owner(trigger, || overrule_and_recompute(assignment, new_date, correction))
}

/// 42501 for an assignment that the caller does not see, be it elsewhere or nowhere.
fn require_visible(assignment: Uuid) -> Result<()> {
    // Also one that the same statement inserted.
    static VISIBLE: Statement =
        Statement::by_index("SELECT a.id FROM assignment_reminders.assignments a WHERE a.id = $1", &[types::UUID]);
    if VISIBLE.write(&[assignment.into()], |rows| rows.one::<Uuid>("id"))?.is_some() {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("assignment {assignment} cannot be corrected by the current role"),
        "No such row of assignment_reminders.assignments is visible to it.",
        "Check the id and, with row-level security, the organization the session speaks for.",
    ))
}

fn overrule_and_recompute(assignment: Uuid, new_date: Option<Date>, correction: Uuid) -> Result<()> {
    static OVERRULE: Statement = Statement::by_index(
        include_str!("../../sql/contact/overrule_activities.sql"),
        &[types::UUID, types::DATE, types::UUID],
    );
    OVERRULE.run(&[assignment.into(), new_date.into(), correction.into()])?;
    recompute(vec![assignment], SkipReason::ContactChanged).map(drop)
}
