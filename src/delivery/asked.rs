//! What statements of the outbox ask for with the rights of the tables' owner, whoever claims or runs: what is paused, and that what a
//! reminder refers to stays until it is written. Owns the variable that keeps everybody else from asking.

use std::cell::Cell;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use crate::bindings::evaluate_one;
use crate::rules::follow_up;
use crate::rules::kind::Kind;
use crate::server::errors::{Result, broken_statement, error};
use crate::server::owner::as_owner_of;
use crate::server::size::blocks;
use crate::server::statement::{Statement, types};
use crate::server::swap;

thread_local! {
    /// Whether a statement of the outbox is at work, and may ask.
    static MAY_ASK: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, whose statements may ask.
pub fn with_questions<T>(work: impl FnOnce() -> T) -> T {
    swap::with(&MAY_ASK, true, work)
}

/// Whether a statement of the outbox asks.
pub fn may_ask() -> bool {
    MAY_ASK.get()
}

fn require_question(function: &str, instead: &str) -> Result<()> {
    if may_ask() {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("{function} answers claims and runs alone"),
        "It looks with the rights of the tables' owner, whoever calls it.",
        instead,
    ))
}

/// Which of these assignments are paused at as_of. Answers claims alone, with the rights of the tables' owner. NULL for NULL.
///
/// 42501 for anybody else.
#[pg_extern(stable)]
fn paused_among(assignment_ids: Vec<Option<Uuid>>, as_of: TimestampWithTimeZone) -> Result<Vec<Uuid>> {
    static PAUSED: Statement =
        Statement::by_index(include_str!("../../sql/delivery/paused.sql"), &[types::UUIDS, types::MOMENT]);
    require_question("paused_among()", "Read assignment_reminders.assignment_pauses, as far as you may.")?;
    // An index has a block before anything is in it.
    if blocks(c"assignment_pauses_paused_idx") <= 1 && blocks(c"mentor_pauses") == 0 {
        return Ok(Vec::new());
    }
    let assignments: Vec<Uuid> = assignment_ids.into_iter().flatten().collect();
    as_owner_of("assignment_pauses", || {
        PAUSED.read(&[assignments.into(), as_of.into()], |rows| rows.column("assignment_id"))
    })
}

/// Whether an assignment calls for a follow-up of this type at as_of, by the settings as they are now. Answers claims alone, with the
/// rights of the tables' owner. NULL for NULL.
///
/// 42501 for anybody else.
#[pg_extern(stable)]
fn is_called_for(reminder_type: &str, assignment_id: Uuid, as_of: TimestampWithTimeZone) -> Result<bool> {
    require_question("is_called_for()", "Call evaluate_assignment().")?;
    let kind = Kind::of(reminder_type);
    let evaluated = as_owner_of("assignments", || evaluate_one(assignment_id, None, Some(as_of)))?;
    Ok(evaluated.is_none_or(|evaluation| follow_up::still_calls_for(kind, evaluation.action)))
}

/// Keeps rows of organizations, users or assignments from being deleted until the transaction ends, since reminders are about to refer to
/// them, and returns which: those that somebody else holds are left out, and waited for by nobody, and so are users who have another address by now than the one
/// of emails, where these are given, pairwise. With the rights of the tables' owner: a lock needs more than the right to read.
/// NULL for a NULL table_name or ids.
///
/// 42501 for anybody but claims and runs.
#[pg_extern(volatile)]
fn lock_for_reminders(
    table_name: Option<&str>,
    ids: Option<Vec<Option<Uuid>>>,
    emails: default!(Option<Vec<Option<String>>>, "NULL"),
) -> Result<Option<Vec<Uuid>>> {
    static ORGANIZATIONS: Statement =
        Statement::by_index(include_str!("../../sql/delivery/lock_organizations.sql"), &[types::UUIDS]);
    static USERS: Statement = Statement::by_index(include_str!("../../sql/delivery/lock_users.sql"), &[types::UUIDS]);
    static ADDRESSEES: Statement =
        Statement::by_index(include_str!("../../sql/delivery/lock_addressees.sql"), &[types::UUIDS, types::TEXTS]);
    static ASSIGNMENTS: Statement =
        Statement::by_index(include_str!("../../sql/delivery/lock_assignments.sql"), &[types::UUIDS]);
    let (Some(table_name), Some(ids)) = (table_name, ids) else { return Ok(None) };
    require_question("lock_for_reminders()", "Lock rows yourself: SELECT ... FOR KEY SHARE.")?;
    let lock = match table_name {
        "organizations" => &ORGANIZATIONS,
        "users" => &USERS,
        "assignments" => &ASSIGNMENTS,
        other => return Err(broken_statement(format!("reminders do not refer to {other}"))),
    };
    as_owner_of(table_name, || match emails {
        Some(emails) if table_name == "users" => {
            ADDRESSEES.write(&[ids.into(), emails.into()], |rows| rows.column("id"))
        }
        _ => {
            let ids: Vec<Uuid> = ids.into_iter().flatten().collect();
            lock.write(&[ids.into()], |rows| rows.column("id"))
        }
    })
    .map(Some)
}
