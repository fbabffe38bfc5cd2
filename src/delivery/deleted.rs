//! Reminders that are deleted while a worker has them: what it answers nevertheless is logged, with the address that the claim handed out.

use std::collections::HashSet;

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::row_triggers::{OriginalRow, Triggered, column};
use crate::server::errors::{Result, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::{as_owner_of, as_table_owner};
use crate::server::statement::{Statement, types};

/// Trigger: a reminder that is deleted while a claim holds it is logged, for its answer to be.
#[pg_trigger]
fn keep_claim<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "keep_claim").and_then(|()| keep(trigger)).map(|()| None))
}

fn keep(trigger: &PgTrigger) -> Result<()> {
    static KEEP: Statement = Statement::kept(
        include_str!("../../sql/delivery/keep_claim.sql"),
        &[types::UUID, types::UUID, types::UUID, types::UUID, types::TEXT, types::MOMENT, types::TEXT, types::INT],
    );
    let old = trigger.old().ok_or_else(|| wrong_trigger("it was attached to an INSERT"))?;
    let (id, organization): (Uuid, Uuid) = (column(&old, "id")?, column(&old, "organization_id")?);
    let (claim, attempts): (Uuid, i32) = (column(&old, "claim_id")?, column(&old, "attempts")?);
    let assignment = old.get_by_name::<Uuid>("assignment_id").map_err(wrong_trigger)?;
    let anchor = old.get_by_name::<TimestampWithTimeZone>("anchor").map_err(wrong_trigger)?;
    let reminder_type: String = column(&old, "reminder_type")?;
    let address = old.get_by_name::<String>("claimed_email").map_err(wrong_trigger)?;
    as_table_owner(trigger, || {
        KEEP.run(&[
            organization.into(),
            id.into(),
            claim.into(),
            assignment.into(),
            reminder_type.into(),
            anchor.into(),
            address.into(),
            attempts.into(),
        ])
    })
}

/// Those of these that were deleted while this claim held them, their logs locked: whoever forgets an addressee takes the address out of these, or waits and
/// finds what is copied from them. Taken after the reminders, and before anybody's row in users.
pub fn of(reminders: &[Uuid], claim: Uuid) -> Result<HashSet<[u8; 16]>> {
    static DELETED: Statement =
        Statement::by_index(include_str!("../../sql/delivery/deleted_claims.sql"), &[types::UUIDS, types::UUID]);
    static LOCK: Statement = Statement::by_index(
        concat!(include_str!("../../sql/delivery/deleted_claims.sql"), " FOR KEY SHARE"),
        &[types::UUIDS, types::UUID],
    );
    let deleted: Vec<Uuid> = DELETED.write(&[reminders.to_vec().into(), claim.into()], |rows| rows.column("id"))?;
    if !deleted.is_empty() {
        // As the owner: to lock, one would need a right to update.
        as_owner_of("send_logs", || LOCK.run(&[reminders.to_vec().into(), claim.into()]))?;
    }
    Ok(deleted.iter().map(|id| *id.as_bytes()).collect())
}

/// Logs that one was sent. False: it was answered before.
pub fn sent(reminder: Uuid, claim: Uuid, message: Option<&str>, from_inbox: Option<&str>) -> Result<bool> {
    Ok(log(reminder, claim, "queued", message, from_inbox, None, None)?.is_some())
}

/// Logs that one failed. Returns its organization and its address, or `None`: it was answered before.
pub fn failed(
    reminder: Uuid,
    claim: Uuid,
    error: Option<&str>,
    verdict: Option<&str>,
) -> Result<Option<(Uuid, Option<String>)>> {
    log(reminder, claim, "failed", None, None, error, verdict)
}

fn log(
    reminder: Uuid,
    claim: Uuid,
    status: &str,
    message: Option<&str>,
    from_inbox: Option<&str>,
    error: Option<&str>,
    verdict: Option<&str>,
) -> Result<Option<(Uuid, Option<String>)>> {
    static LOG: Statement = Statement::by_index(
        include_str!("../../sql/delivery/log_deleted.sql"),
        &[types::UUID, types::UUID, types::TEXT, types::TEXT, types::TEXT, types::TEXT, types::TEXT],
    );
    let arguments =
        [reminder.into(), claim.into(), status.into(), message.into(), from_inbox.into(), error.into(), verdict.into()];
    LOG.write(&arguments, |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some((row.not_null("organization_id")?, row.get("to_email")?)))
    })
}
