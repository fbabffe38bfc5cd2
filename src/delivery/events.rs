//! What mail providers report after a message was handed over, and whom it opts out.

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::organization::named_organization;
use crate::rules::bounce::{self, Bounce};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, error, invalid_argument, null_argument, unknown};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

/// Records what the provider reports of a message: delivered, bounced or rejected. A bounce or rejection that shows a
/// dead address (permanent, or by the RFC 3463 or SMTP code in error), and the organization's bounce_limit-th soft one
/// since a message last arrived, opt the person out, with the reason kept. True: recorded. False: this event (without
/// an id: this status of this message) was recorded before.
///
/// Of a message whose log names no address, of a person who was forgotten for one, the codes in error are kept and not its text.
///
/// Messages are looked for in the organization that the session names, in all where it names none.
///
/// 22004 for NULL, 22023 for another status, or for a message that several organizations have sent while the session
/// names none, 02000 for one that no reminder was sent with.
#[pg_extern(volatile)]
fn record_delivery_event(
    message_id: Option<&str>,
    status: Option<&str>,
    error: default!(Option<&str>, "NULL"),
    event_id: default!(Option<&str>, "NULL"),
    permanent: default!(Option<bool>, "NULL"),
) -> Result<bool> {
    static LOG: Statement = Statement::kept(
        include_str!("../../sql/delivery/log_event.sql"),
        &[types::TEXT, types::TEXT, types::TEXT, types::TEXT, types::UUID],
    );
    static COUNT: Statement = Statement::kept(
        include_str!("../../sql/delivery/count_bounce.sql"),
        &[types::UUID, types::TEXT, types::BOOL, types::TEXT],
    );
    static FORGET: Statement =
        Statement::kept(include_str!("../../sql/delivery/forget_bounces.sql"), &[types::UUID, types::TEXT]);
    const WHOLE: Whole = Whole {
        updates: &["users"],
        inserts: &["send_logs"],
        ..Whole::reads(&["send_logs", "reminder_settings", "users"])
    };
    let message = message_id.ok_or_else(|| null_argument("message_id"))?;
    let status = status.ok_or_else(|| null_argument("status"))?;
    if !["delivered", "bounced", "rejected"].contains(&status) {
        return Err(invalid_argument(
            format!("{status} is not a delivery status"),
            "A provider reports that a message was delivered, bounced or rejected.",
            "Map the provider's own words to delivered, bounced or rejected, and leave out what is none of them.",
        ));
    }
    WHOLE.require()?;
    // What is logged now would not be seen by whoever forgets its addressee.
    AdvisoryLock::Forgetting.share();
    let named = named_organization()?;
    let (organization, address, is_new) =
        LOG.write(&[message.into(), status.into(), error.into(), event_id.into(), named.into()], |mut rows| {
            let row = rows.next().ok_or_else(|| unknown_message(message))?;
            if row.not_null("is_ambiguous")? {
                return Err(ambiguous_message(message));
            }
            Ok((
                row.not_null::<Uuid>("organization_id")?,
                row.get::<String>("to_email")?,
                row.not_null::<bool>("is_new")?,
            ))
        })?;
    match address.filter(|_| is_new) {
        None => {}
        Some(address) if status == "delivered" => FORGET.run(&[organization.into(), address.into()])?,
        Some(address) => {
            let is_hard = bounce::judge(permanent, error.unwrap_or_default()) == Bounce::Hard;
            COUNT.run(&[organization.into(), address.into(), is_hard.into(), error.into()])?;
        }
    }
    Ok(is_new)
}

/// Takes back a person's opt-out, whatever its reason, and forgets their soft bounces. Returns whether they were opted
/// out.
///
/// 22004 for NULL, 02000 for an unknown user.
#[pg_extern(volatile)]
fn restore_contact(user_id: Option<Uuid>) -> Result<bool> {
    static RESTORE: Statement = Statement::kept(include_str!("../../sql/delivery/restore_contact.sql"), &[types::UUID]);
    let user = user_id.ok_or_else(|| null_argument("user_id"))?;
    let was_opted_out: Option<bool> = RESTORE.write(&[user.into()], |rows| rows.one("was_opted_out"))?;
    was_opted_out.ok_or_else(|| unknown("user", "users", user))
}

fn ambiguous_message(message: &str) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("more than one organization has sent a message {message}"),
        "Whose recipient the event is about cannot be told; nothing was recorded.",
        "Set assignment_reminders.organization_id to the one whose provider reports it.",
    )
}

fn unknown_message(message: &str) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        pgrx::PgSqlErrorCode::ERRCODE_NO_DATA,
        format!("no reminder was sent as message {message}"),
        "No row of assignment_reminders.send_logs with this message_id and status queued is visible to the current role.",
        "Give the id with which the reminder was marked as sent; events of other mail are not for this function.",
    )
}
