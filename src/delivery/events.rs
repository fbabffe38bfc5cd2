//! What mail providers report after a message was handed over, and whom it opts out.

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::rules::bounce::{self, Bounce};
use crate::server::errors::{Result, error, invalid_argument, null_argument, unknown};
use crate::server::statement::{Statement, first_column, given, no_rows};

/// Records what the provider reports of a message: delivered, bounced or rejected. A bounce or rejection that shows a dead
/// address (`permanent`, or by the RFC 3463 or SMTP code in `error`), and the organisation's `bounce_limit`-th soft one
/// since a message last arrived, opt the person out, with the reason kept. True: recorded. False: this event (without an
/// id: this status of this message) was recorded before. 22004 for NULL, 22023 for another status, P0002 for a message that
/// no reminder was sent with.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn record_delivery_event(
    message_id: Option<&str>,
    status: Option<&str>,
    error: default!(Option<&str>, "NULL"),
    event_id: default!(Option<&str>, "NULL"),
    permanent: default!(Option<bool>, "NULL"),
) -> Result<bool> {
    static LOG: Statement = Statement::new(
        include_str!("../../sql/delivery/log_event.sql"),
        &[
            pg_sys::BuiltinOid::TEXTOID,
            pg_sys::BuiltinOid::TEXTOID,
            pg_sys::BuiltinOid::TEXTOID,
            pg_sys::BuiltinOid::TEXTOID,
        ],
    );
    static COUNT: Statement = Statement::new(
        include_str!("../../sql/delivery/count_bounce.sql"),
        &[
            pg_sys::BuiltinOid::UUIDOID,
            pg_sys::BuiltinOid::TEXTOID,
            pg_sys::BuiltinOid::BOOLOID,
            pg_sys::BuiltinOid::TEXTOID,
        ],
    );
    static FORGET: Statement = Statement::new(
        include_str!("../../sql/delivery/forget_bounces.sql"),
        &[pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::TEXTOID],
    );
    let message = message_id.ok_or_else(|| null_argument("message_id"))?;
    let status = status.ok_or_else(|| null_argument("status"))?;
    if !["delivered", "bounced", "rejected"].contains(&status) {
        return Err(invalid_argument(
            format!("{status} is not a delivery status"),
            "A provider reports that a message was delivered, bounced or rejected.",
            "Map the provider's own words to delivered, bounced or rejected, and leave out what is none of them.",
        ));
    }
    let sent: Vec<(Uuid, Option<String>, bool)> = LOG
        .write(&[message.into(), status.into(), error.into(), event_id.into()], |rows| {
            rows.map(|row| Ok((given(&row, 1)?, row.get(2)?, given(&row, 3)?))).collect()
        })?;
    let (organization, address, is_new) = sent.into_iter().next().ok_or_else(|| unknown_message(message))?;
    match address.filter(|_| is_new) {
        None => {}
        Some(address) if status == "delivered" => FORGET.write(&[organization.into(), address.into()], no_rows)?,
        Some(address) => {
            let is_hard = bounce::judge(permanent, error.unwrap_or_default()) == Bounce::Hard;
            COUNT.write(&[organization.into(), address.into(), is_hard.into(), error.into()], no_rows)?;
        }
    }
    Ok(is_new)
}

/// Takes back a person's opt-out, whatever its reason, and forgets their soft bounces. Returns whether they were opted out.
/// 22004 for NULL, P0002 for an unknown user.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn restore_contact(user_id: Option<Uuid>) -> Result<bool> {
    static RESTORE: Statement =
        Statement::new(include_str!("../../sql/delivery/restore_contact.sql"), &[pg_sys::BuiltinOid::UUIDOID]);
    let user = user_id.ok_or_else(|| null_argument("user_id"))?;
    let was_opted_out: Vec<bool> = RESTORE.write(&[user.into()], first_column)?;
    was_opted_out.first().copied().ok_or_else(|| unknown("user", "users", user))
}

fn unknown_message(message: &str) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        pgrx::PgSqlErrorCode::ERRCODE_NO_DATA_FOUND,
        format!("no reminder was sent as message {message}"),
        "No row of assignment_reminders.send_logs with this message_id and status queued is visible to the current role.",
        "Give the id with which the reminder was marked as sent; events of other mail are not for this function.",
    )
}
