//! What people say without signing in: that they want no more of something, by the token that their messages hold. What opts out is
//! `events`'s to do; what is muted is skipped by claims.

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use super::asked::may_ask;
use super::events::Addressee;
use crate::rules::recipient::{Covering, covering, muted_by};
use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::owner::as_owner_of;
use crate::server::search_path::without_temporary_first;
use crate::server::setting::require_writable;
use crate::server::statement::{Statement, types};

/// What whoever holds a person's token asks for: nothing more of one reminder_type, or (NULL) nothing at all any more. For everybody who may
/// call it: the token alone says who it is about, and it writes with the rights of the tables' owner, whatever the row security.
///
/// NULL opts the person out, as the event unsubscribed does. A type is added to user_preferences.muted_types: of due dates as due, since
/// all of them are meant; of others by its name. A kind (reminder_kinds()) may be given for all of its types. Claims skip both. True: it is so from now on; false: it
/// was so before, also where a type is muted by its kind, or a kind by all of its types.
///
/// 02000 for an unknown token, 22023 for a type that is neither ours nor of a reminder that this person has, 22004 for a NULL token, 25006 in
/// a transaction that may not write.
#[pg_extern(volatile)]
fn unsubscribe(token: Option<&str>, reminder_type: default!(Option<&str>, "NULL")) -> Result<bool> {
    let token = token.ok_or_else(|| null_argument("token"))?;
    require_writable()?;
    as_owner_of("unsubscribe_tokens", || {
        // Triggers of the owner's that this fires are the owner's under somebody else's path, as in as_table_owner.
        without_temporary_first(|| {
            let person = Addressee::lock_by_token(token)?.ok_or_else(unknown_token)?;
            match reminder_type {
                None => person.unsubscribes(),
                Some(reminder_type) => mute(person.user, &known_type(person.user, reminder_type)?),
            }
        })
    })
}

/// What to mute for a type.
fn known_type(user: Uuid, reminder_type: &str) -> Result<String> {
    static HAS: Statement =
        Statement::by_index(include_str!("../../sql/delivery/has_reminder_of_type.sql"), &[types::UUID, types::TEXT]);
    if let Some(muted) = muted_by(reminder_type) {
        return Ok(muted.to_string());
    }
    let has: Option<bool> = HAS.write(&[user.into(), reminder_type.into()], |rows| rows.one("has_one"))?;
    if has == Some(true) {
        return Ok(reminder_type.to_string());
    }
    Err(invalid_argument(
        format!("{reminder_type} is not a reminder type"),
        "It is none of reminder_kinds(), no due offset, and no type of a reminder to this person.",
        "Give the reminder_type of the message, due for all reminders of due dates, or NULL for everything.",
    ))
}

/// Adds it to what a locked person mutes. Returns whether it is new there.
fn mute(user: Uuid, muted: &str) -> Result<bool> {
    static MUTE: Statement = Statement::by_index(
        include_str!("../../sql/delivery/mute.sql"),
        &[types::UUID, types::TEXT, types::TEXTS, types::TEXTS],
    );
    let Covering { any_of, all_of } = covering(muted);
    let arguments = [user.into(), muted.into(), any_of.into(), all_of.into()];
    let is_new: Option<bool> = MUTE.write(&arguments, |rows| rows.one("is_new"))?;
    Ok(is_new.is_some())
}

/// A person's token for unsubscribe(), to be put into messages to them. By the caller's rights on unsubscribe_tokens, which workers have.
///
/// 02000 for a person who is not known or has none, 22004 for NULL.
#[pg_extern(stable)]
fn unsubscribe_token(user_id: Option<Uuid>) -> Result<String> {
    let user = user_id.ok_or_else(|| null_argument("user_id"))?;
    let token = tokens(vec![user])?.into_iter().flatten().next();
    token.ok_or_else(|| {
        error(
            PgSqlErrorCode::ERRCODE_NO_DATA,
            format!("user {user} has no token to unsubscribe by"),
            "No row of assignment_reminders.unsubscribe_tokens of this person is visible to the current role.",
            "Check the id. People who were inserted while triggers were off get theirs by SELECT assignment_reminders.install().",
        )
    })
}

/// The tokens of these people, each at its person's place; NULL for whoever has none. By the caller's rights on unsubscribe_tokens; in a claim,
/// which returns them to its worker, with those of the tables' owner. NULL for NULL.
#[pg_extern(stable)]
fn unsubscribe_tokens_of(user_ids: Vec<Option<Uuid>>) -> Result<Vec<Option<String>>> {
    // Places are kept: nobody has the nil UUID.
    let users: Vec<Uuid> = user_ids.into_iter().map(|user| user.unwrap_or(Uuid::from_bytes([0; 16]))).collect();
    if may_ask() { as_owner_of("unsubscribe_tokens", || tokens(users)) } else { tokens(users) }
}

fn tokens(users: Vec<Uuid>) -> Result<Vec<Option<String>>> {
    static TOKENS: Statement =
        Statement::by_index(include_str!("../../sql/delivery/unsubscribe_tokens.sql"), &[types::UUIDS]);
    TOKENS.read(&[users.into()], |rows| rows.map(|row| row.get("token")).collect())
}

/// It does not repeat the token: what is nearly one should stand in no log.
fn unknown_token() -> pgrx::pg_sys::panic::ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_NO_DATA,
        "nobody has this token to unsubscribe by",
        "It was cut off or mistyped, or whoever had it is gone.",
        "Give the token of the link in the message, whole; unsubscribe_token() tells it to workers.",
    )
}
