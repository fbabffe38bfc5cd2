//! What mail providers report after a message was handed over, and whom it opts out.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::now;
use pgrx::prelude::*;

use crate::organization::named_organization;
use crate::privacy::recordable;
use crate::rules::bounce::{self, Verdict};
use crate::rules::message::spellings;
use crate::server::calendar::{nearest_moment, timestamp};
use crate::server::errors::{Result, broken_statement, error, invalid_argument, null_argument, unknown};
use crate::server::owner::as_owner_of;
use crate::server::row_security::Whole;
use crate::server::rows::Rows;
use crate::server::setting::{with_lock_timeout, within};
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::{attempt_where, is_lock_not_available};

/// Records what the provider reports of a message: delivered, bounced, rejected, complained (the recipient called it spam) or unsubscribed. What a bounce or
/// rejection means is told by the RFC 3463 or SMTP code and the text in error; permanent decides where these are unclear, and false rules a
/// dead address out. A dead address, bounce_limit messages that bounced softly in 90 days since one last arrived, a complaint and an unsubscription opt the person
/// out, with the reason kept. What is the fault of the sender, the message or a policy counts against nobody. True: recorded. False:
/// this event (without an id: this status and verdict of this message) was recorded before.
///
/// A person whom somebody else has locked is waited for, a second at most, where the event changes anything of them, and so is whoever forgets the person whom the message
/// went to: 55P03 after that, and nothing is recorded. Report it again.
///
/// Of a message whose log names no address, of a person who was forgotten for one, the codes in error are kept and not its text; also of a text with an address in it that is
/// reported while anybody is being forgotten (forget_person()).
///
/// Messages are looked for by the message_id that they were marked as sent with, with or without angle brackets, else by what the provider
/// calls them (record_provider_message); in the organization that the session names, in all where it names none.
///
/// 22004 for NULL, 22023 for another status, an empty event_id, or for a message that several organizations have sent while the session
/// names none, 02000 for one that no reminder was sent with.
#[pg_extern(volatile)]
fn record_delivery_event(
    message_id: Option<&str>,
    status: Option<&str>,
    error: default!(Option<&str>, "NULL"),
    event_id: default!(Option<&str>, "NULL"),
    permanent: default!(Option<bool>, "NULL"),
) -> Result<bool> {
    const WHOLE: Whole = Whole {
        updates: &["users"],
        inserts: &["send_logs"],
        ..Whole::reads(&["send_logs", "reminder_settings", "users"])
    };
    let message = message_id.ok_or_else(|| null_argument("message_id"))?;
    let name = status.ok_or_else(|| null_argument("status"))?;
    let reported = Reported::of(name, permanent, error.unwrap_or_default()).ok_or_else(|| {
        invalid_argument(
            format!("{name} is not a delivery status"),
            "A provider reports that a message was delivered, bounced or rejected, or that its recipient complained or unsubscribed.",
            "Map the provider's own words to delivered, bounced, rejected, complained or unsubscribed, and leave out what is none of them.",
        )
    })?;
    if event_id == Some("") {
        return Err(invalid_argument(
            "event_id is empty".to_string(),
            "All events without an id would be one.",
            "Give the provider's id of the event, or NULL where it has none.",
        ));
    }
    within(
        PATIENCE,
        |words| busy(message, words),
        || {
            WHOLE.require()?;
            let log = log_of(message)?.ok_or_else(|| unknown_message(message))?;
            if !lock_log(log)? {
                return Err(unknown_message(message));
            }
            // It was judged by the whole of it.
            let error = error.map(recordable);
            let event = Event { log, status: name, id: event_id, error: error.as_deref() };
            let addressee = reported.addressee(&event)?;
            let (is_new, was_counted) = reported.log(&event)?;
            if let Some(addressee) = addressee.filter(|_| is_new) {
                addressee.hears(&reported, was_counted, event.error)?;
            }
            Ok(is_new)
        },
    )
}

/// How long somebody who is locked is waited for. What is reported comes again: it may wait less long than whoever else needs the connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// What one answer still waits for people whom somebody else has locked: for all of them together.
pub(super) struct Patience(Cell<Duration>);

impl Patience {
    pub(super) const fn new() -> Self {
        Self(Cell::new(PATIENCE))
    }
}

/// Counts what was said of an address when a message was handed over: as a bounce of a message to it, once for each message. Where somebody has
/// locked whoever has it for longer than there is patience, it does not count: the other answers must be recorded, and the next message will tell.
pub(super) fn not_delivered(
    organization: Uuid,
    address: &str,
    verdict: Verdict,
    was_counted: bool,
    error: Option<&str>,
    patience: &Patience,
) -> Result<()> {
    if !verdict.counts(was_counted) {
        return Ok(());
    }
    let began = Instant::now();
    let lock = || with_lock_timeout(patience.0.get(), || Addressee::lock(organization, address))?;
    match attempt_where(is_lock_not_available, lock)? {
        Ok(Some(addressee)) => addressee.hears(&Reported::NotDelivered(verdict), was_counted, error),
        Ok(None) => Ok(()),
        Err(_) => {
            patience.0.set(patience.0.get().saturating_sub(began.elapsed()));
            warning!("a {} bounce did not count: another transaction has locked its addressee", verdict.name());
            Ok(())
        }
    }
}

/// Notes what the mail provider calls a message (as SES, SendGrid and Postmark do), so that its delivery events are found by that name, too:
/// by message_id first, else by this. What is noted once stays. True: the message is known, and its events are found by this name. False: no reminder was
/// sent with this message_id, or another name was noted before and stays.
///
/// Messages are looked for in the organization that the session names, in all where it names none.
///
/// 22004 for NULL, 22023 for an empty name, or for a message that several organizations have sent while the session names none.
#[pg_extern(volatile)]
fn record_provider_message(message_id: Option<&str>, provider_message_id: Option<&str>) -> Result<bool> {
    const WHOLE: Whole = Whole { updates: &["send_logs"], ..Whole::reads(&["send_logs"]) };
    static NAME: Statement =
        Statement::by_index(include_str!("../../sql/delivery/name_message.sql"), &[types::UUID, types::TEXT]);
    static IS_NAMED: Statement =
        Statement::by_index(include_str!("../../sql/delivery/is_named.sql"), &[types::UUID, types::TEXT]);
    let message = message_id.ok_or_else(|| null_argument("message_id"))?;
    let name = provider_message_id.ok_or_else(|| null_argument("provider_message_id"))?;
    if name.is_empty() {
        return Err(invalid_argument(
            "provider_message_id is empty".to_string(),
            "Nothing can be found by it.",
            "Give what the provider answered when the message was handed over, or do not call this function.",
        ));
    }
    WHOLE.require()?;
    let Some(log) = log_of(message)? else { return Ok(false) };
    let is_new: Option<bool> = NAME.write(&[log.into(), name.into()], |rows| rows.one("is_new"))?;
    if is_new.is_some() {
        return Ok(true);
    }
    // A statement of its own: somebody who has just noted a name was waited for.
    Ok(IS_NAMED.write(&[log.into(), name.into()], |rows| rows.one("is_named"))?.unwrap_or(false))
}

/// What a provider reports.
enum Reported {
    Delivered,
    NotDelivered(Verdict),
    Complained,
    Unsubscribed,
}

impl Reported {
    /// `None` for a status that is none.
    fn of(status: &str, is_permanent: Option<bool>, error: &str) -> Option<Self> {
        match status {
            "delivered" => Some(Self::Delivered),
            "bounced" | "rejected" => Some(Self::NotDelivered(bounce::judge(is_permanent, error))),
            "complained" => Some(Self::Complained),
            "unsubscribed" => Some(Self::Unsubscribed),
            _ => None,
        }
    }

    const fn verdict(&self) -> Option<Verdict> {
        if let Self::NotDelivered(verdict) = self { Some(*verdict) } else { None }
    }

    /// Whoever it is about, locked. `None`: nobody has the address, or it changes nothing of them.
    fn addressee(&self, event: &Event) -> Result<Option<Addressee>> {
        static LOCK: Statement = Statement::by_index(
            concat!(
                include_str!("../../sql/delivery/reported_message.sql"),
                include_str!("../../sql/delivery/lock_reported.sql"),
            ),
            &[types::UUID, types::TEXT, types::TEXT, types::TEXT],
        );
        let verdict = self.verdict();
        if verdict.is_some_and(|verdict| !verdict.counts(false)) {
            return Ok(None);
        }
        let arguments = [event.log.into(), event.status.into(), event.id.into(), verdict.map(Verdict::name).into()];
        LOCK.write(&arguments, Addressee::of)
    }

    /// Whether it is new, and whether it is a soft bounce of a message of which a failure was counted before.
    fn log(&self, event: &Event) -> Result<(bool, bool)> {
        static LOG: Statement = Statement::by_index(
            concat!(
                include_str!("../../sql/delivery/reported_message.sql"),
                include_str!("../../sql/delivery/log_event.sql"),
            ),
            &[types::UUID, types::TEXT, types::TEXT, types::TEXT, types::TEXT],
        );
        let verdict = self.verdict().map(Verdict::name);
        let arguments = [event.log.into(), event.status.into(), event.id.into(), verdict.into(), event.error.into()];
        LOG.write(&arguments, |mut rows| {
            let row = rows.next().ok_or_else(|| broken_statement("nothing was said of an event"))?;
            Ok((row.not_null("is_new")?, row.not_null("was_counted")?))
        })
    }
}

/// One event of a message, as it is logged.
struct Event<'a> {
    /// A log of the message.
    log: Uuid,
    status: &'a str,
    id: Option<&'a str>,
    error: Option<&'a str>,
}

/// A log of the message that is reported of.
fn log_of(message: &str) -> Result<Option<Uuid>> {
    static FIND: Statement =
        Statement::by_index(include_str!("../../sql/delivery/find_message.sql"), &[types::TEXTS, types::UUID]);
    FIND.write(&[spellings(message).into(), named_organization()?.into()], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        if row.not_null("is_ambiguous")? {
            return Err(ambiguous_message(message));
        }
        row.not_null("id").map(Some)
    })
}

/// Locks a log whose address is to be copied: whoever forgets its addressee takes it out first, or waits and finds the copy, for what reads it
/// afterwards. Taken before the addressee's row in users. False: it is gone.
fn lock_log(log: Uuid) -> Result<bool> {
    static LOCK: Statement = Statement::by_index(include_str!("../../sql/delivery/lock_log.sql"), &[types::UUID]);
    // As the owner: to lock, one would need a right to update.
    as_owner_of("send_logs", || Ok(LOCK.write(&[log.into()], |rows| rows.one::<Uuid>("id"))?.is_some()))
}

/// Somebody whom messages went to, locked.
pub struct Addressee {
    pub user: Uuid,
    is_opted_out: bool,
    soft_bounced_at: Vec<TimestampWithTimeZone>,
    bounce_limit: i32,
}

impl Addressee {
    /// Whoever has the address now.
    fn lock(organization: Uuid, address: &str) -> Result<Option<Self>> {
        static LOCK: Statement =
            Statement::by_index(include_str!("../../sql/delivery/lock_bounced.sql"), &[types::UUID, types::TEXT]);
        LOCK.write(&[organization.into(), address.into()], Self::of)
    }

    /// Whoever has this token to unsubscribe by.
    pub fn lock_by_token(token: &str) -> Result<Option<Self>> {
        static LOCK: Statement =
            Statement::by_index(include_str!("../../sql/delivery/lock_by_token.sql"), &[types::TEXT]);
        static IS_THEIRS: Statement =
            Statement::by_index(include_str!("../../sql/delivery/is_token_of.sql"), &[types::TEXT, types::UUID]);
        let Some(person) = LOCK.write(&[token.into()], Self::of)? else { return Ok(None) };
        // A statement of its own: whoever was waited for may have forgotten them.
        let is_theirs = IS_THEIRS.write(&[token.into(), person.user.into()], |rows| rows.one("is_theirs"))?;
        Ok(is_theirs.unwrap_or(false).then_some(person))
    }

    fn of(mut rows: Rows) -> Result<Option<Self>> {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some(Self {
            user: row.not_null("id")?,
            is_opted_out: row.not_null("contact_opt_out")?,
            soft_bounced_at: row.not_null("soft_bounced_at")?,
            bounce_limit: row.not_null("bounce_limit")?,
        }))
    }

    /// Opts them out by their own word, unless they are. Returns whether they were not.
    pub fn unsubscribes(self) -> Result<bool> {
        let is_new = !self.is_opted_out;
        if is_new {
            self.hears(&Reported::Unsubscribed, false, None)?;
        }
        Ok(is_new)
    }

    /// Counts what is reported of a message to them, and opts them out for it.
    fn hears(self, reported: &Reported, was_counted: bool, error: Option<&str>) -> Result<()> {
        static COUNT: Statement = Statement::by_index(
            include_str!("../../sql/delivery/count_bounce.sql"),
            &[types::UUID, types::MOMENTS, types::TEXT],
        );
        let because = |what: &str| Some(error.map_or_else(|| what.to_string(), |error| format!("{what}: {error}")));
        let (soft_bounced_at, opt_out) = match reported {
            Reported::Delivered if self.soft_bounced_at.is_empty() => return Ok(()),
            Reported::Delivered => (Vec::new(), None),
            Reported::NotDelivered(verdict) if !verdict.counts(was_counted) => return Ok(()),
            Reported::NotDelivered(Verdict::Soft) => {
                let before = self.soft_bounced_at.into_iter().map(nearest_moment).collect();
                let counting = bounce::with_another(before, nearest_moment(now()));
                let number = i32::try_from(counting.len()).unwrap_or(i32::MAX);
                let opt_out = if number >= self.bounce_limit {
                    because(&format!("{number} soft bounces, the last one"))
                } else {
                    None
                };
                (counting.into_iter().filter_map(timestamp).collect(), opt_out)
            }
            Reported::NotDelivered(Verdict::Sender) => return Ok(()),
            Reported::NotDelivered(Verdict::Hard) => (self.soft_bounced_at, because("hard bounce")),
            Reported::Complained => (self.soft_bounced_at, because("complained")),
            Reported::Unsubscribed => (self.soft_bounced_at, because("unsubscribed")),
        };
        COUNT.run(&[self.user.into(), soft_bounced_at.into(), opt_out.into()])
    }
}

/// Takes back a person's opt-out, whatever its reason, and forgets their soft bounces. What they muted (user_preferences.muted_types) stays so.
/// Returns whether they were opted out.
///
/// 22004 for NULL, 02000 for an unknown user.
#[pg_extern(volatile)]
fn restore_contact(user_id: Option<Uuid>) -> Result<bool> {
    static RESTORE: Statement = Statement::kept(include_str!("../../sql/delivery/restore_contact.sql"), &[types::UUID]);
    let user = user_id.ok_or_else(|| null_argument("user_id"))?;
    let was_opted_out: Option<bool> = RESTORE.write(&[user.into()], |rows| rows.one("was_opted_out"))?;
    was_opted_out.ok_or_else(|| unknown("user", "users", user))
}

/// What it needs is locked by somebody else, who may take long.
fn busy(message: &str, words: String) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        pgrx::PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
        format!("an event of message {message} was not recorded: another transaction has locked what it changes"),
        format!("{words}; nothing was recorded."),
        "Report it again, as it is. Who holds the lock: pg_blocking_pids() of whoever waits, and pg_stat_activity.",
    )
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
        "No row of assignment_reminders.send_logs with this message_id or provider_message_id and status queued is visible to the current role.",
        "Give the id with which the reminder was marked as sent; events of other mail are not for this function.",
    )
}
