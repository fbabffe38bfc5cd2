//! Answers to a claim: sent, failed, or still at it. An answer counts for as long as nobody else has claimed the reminder;
//! after that it changes nothing, and says so.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::notify;
use crate::arguments;
use crate::rules::privacy::without_text;
use crate::rules::retry::{AfterFailure, after_failure};
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::row_security::Whole;
use crate::server::rows::Row;
use crate::server::statement::{Statement, types};

/// Records a claimed reminder as sent, with the provider's message id and the inbox it was sent from, and logs it.
/// True: recorded. False: the claim no longer holds (another one has it, it was answered before, or the reminder is
/// gone), and nothing was changed.
///
/// 22004 for a NULL id.
#[pg_extern(volatile)]
fn mark_reminder_sent(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    message_id: default!(Option<&str>, "NULL"),
    from_inbox: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    let answers = vec![(reminder, message_id.map(str::to_string))];
    Ok(sent(answers, claim_id, from_inbox, as_of)?.is_empty())
}

/// Records the reminders of one claim as sent, as mark_reminder_sent does; message_ids are pairwise, or NULL. Returns
/// the ids whose claim no longer holds, for which nothing was changed: none when all is well.
///
/// 22004 for NULL ids, 22023 for arrays of different lengths.
#[pg_extern(volatile)]
fn mark_reminders_sent(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    message_ids: default!(Option<Vec<Option<String>>>, "NULL"),
    from_inbox: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    let reminders = ids(reminder_ids)?;
    let message_ids = pairwise("message_ids", message_ids, reminders.len())?;
    let answers: Vec<_> = reminders.into_iter().zip(message_ids).collect();
    Ok(SetOfIterator::new(sent(answers, claim_id, from_inbox, as_of)?))
}

/// Records that sending a claimed reminder failed, and logs it: it is retried after a backoff or, when the failure is
/// permanent or `max_attempts` is reached, given up (status failed, and a notification). Of the error, only the codes are
/// kept where the addressee has no address any more. True: recorded. False: the claim no longer holds, and nothing was
/// changed.
///
/// 22004 for a NULL id.
#[pg_extern(volatile)]
fn mark_reminder_failed(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    error: Option<&str>,
    permanent: default!(Option<bool>, false),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    let answers = vec![(reminder, (error.map(str::to_string), permanent.unwrap_or(false)))];
    Ok(failed(answers, claim_id, as_of)?.is_empty())
}

/// Records that sending the reminders of one claim failed, as mark_reminder_failed does; errors and permanent are
/// pairwise, or NULL. Returns the ids whose claim no longer holds.
///
/// 22004 for NULL ids, 22023 for arrays of different lengths.
#[pg_extern(volatile)]
fn mark_reminders_failed(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    errors: Option<Vec<Option<String>>>,
    permanent: default!(Option<Vec<Option<bool>>>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    let reminders = ids(reminder_ids)?;
    let errors = pairwise("errors", errors, reminders.len())?;
    let permanent = pairwise("permanent", permanent, reminders.len())?;
    let details = errors.into_iter().zip(permanent.into_iter().map(|permanent| permanent.unwrap_or(false)));
    let answers: Vec<_> = reminders.into_iter().zip(details).collect();
    Ok(SetOfIterator::new(failed(answers, claim_id, as_of)?))
}

/// Keeps a claimed reminder for another lease from as_of on. True: it is the caller's until then. False: the claim no
/// longer holds, or the reminder was withdrawn meanwhile (a contact came): do not send it.
///
/// 22004 for a NULL id, 22023 for a lease of nothing or of more than a day.
#[pg_extern(volatile)]
fn extend_reminder_lease(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    Ok(extended(vec![reminder], claim_id, lease, as_of)?.is_empty())
}

/// Keeps the reminders of one claim, as extend_reminder_lease does. Returns the ids that are no longer the caller's.
#[pg_extern(volatile)]
fn extend_reminder_leases(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    Ok(SetOfIterator::new(extended(ids(reminder_ids)?, claim_id, lease, as_of)?))
}

/// What an answer must see, and writes.
const ANSWERED: Whole = Whole {
    updates: &["reminders"],
    inserts: &["send_logs"],
    ..Whole::reads(&["reminders", "reminder_settings", "users", "assignments"])
};

/// What decides on the next attempt of a reminder.
struct Attempts {
    reminder: Uuid,
    made: i32,
    max: i32,
    retry_base: TimeDelta,
    jitter: f64,
    has_address: bool,
}

impl Attempts {
    fn of(held: Vec<Uuid>) -> Result<Vec<Self>> {
        static ATTEMPTS: Statement =
            Statement::by_index(include_str!("../../sql/delivery/attempts.sql"), &[types::UUIDS]);
        ATTEMPTS.write(&[held.into()], |rows| rows.map(Self::read).collect())
    }

    fn read(row: Row) -> Result<Self> {
        #[allow(clippy::cast_possible_truncation)] // at most a day, by its constraint
        let milliseconds = (row.not_null::<f64>("retry_base")? * 1000.0) as i64;
        Ok(Self {
            reminder: row.not_null("id")?,
            made: row.not_null("attempts")?,
            max: row.not_null("max_attempts")?,
            retry_base: TimeDelta::milliseconds(milliseconds),
            jitter: row.not_null("jitter")?,
            has_address: row.not_null("has_address")?,
        })
    }

    /// The wait before the next one, in seconds, now that another has failed; `None`: give up.
    fn wait(&self, is_permanent: bool) -> Option<f64> {
        match after_failure(self.made.saturating_add(1), self.max, is_permanent, self.retry_base, self.jitter) {
            AfterFailure::RetryAfter(wait) => Some(wait.as_seconds_f64()),
            AfterFailure::GiveUp => None,
        }
    }
}

/// Locks those of these reminders that the claim still holds. Returns them, and whether each is still pending.
fn lock_held(reminders: Vec<Uuid>, claim_id: Option<Uuid>) -> Result<Vec<(Uuid, bool)>> {
    static LOCK: Statement =
        Statement::by_index(include_str!("../../sql/delivery/lock_claimed.sql"), &[types::UUIDS, types::UUID]);
    let claim = claim_id.ok_or_else(|| null_argument("claim_id"))?;
    LOCK.write(&[reminders.into(), claim.into()], |rows| {
        rows.map(|row| Ok((row.not_null("id")?, row.not_null("is_pending")?))).collect()
    })
}

/// Returns the ids whose claim no longer holds.
fn sent(
    answers: Vec<(Uuid, Option<String>)>,
    claim_id: Option<Uuid>,
    from_inbox: Option<&str>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Vec<Uuid>> {
    static SENT: Statement = Statement::by_index(
        include_str!("../../sql/delivery/mark_sent.sql"),
        &[types::UUIDS, types::TEXTS, types::TEXT, types::MOMENT],
    );
    ANSWERED.require()?;
    let as_of = arguments::as_of(as_of)?;
    let reminders: Vec<Uuid> = answers.iter().map(|answer| answer.0).collect();
    let held = ids_of(lock_held(reminders.clone(), claim_id)?);
    if !held.is_empty() {
        let message_of: HashMap<_, _> = answers.iter().map(|(id, message)| (id.as_bytes(), message)).collect();
        let messages: Vec<Option<String>> =
            held.iter().map(|id| message_of.get(id.as_bytes()).and_then(|message| (*message).clone())).collect();
        SENT.run(&[held.clone().into(), messages.into(), from_inbox.into(), as_of.into()])?;
    }
    Ok(stale(reminders, &held))
}

/// Returns the ids whose claim no longer holds.
fn failed(
    answers: Vec<(Uuid, (Option<String>, bool))>,
    claim_id: Option<Uuid>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Vec<Uuid>> {
    static FAILED: Statement = Statement::by_index(
        include_str!("../../sql/delivery/mark_failed.sql"),
        &[types::UUIDS, types::TEXTS, types::FLOATS, types::MOMENT],
    );
    ANSWERED.require()?;
    let as_of = arguments::as_of(as_of)?;
    let reminders: Vec<Uuid> = answers.iter().map(|answer| answer.0).collect();
    let held = ids_of(lock_held(reminders.clone(), claim_id)?);
    if !held.is_empty() {
        let answer_of: HashMap<_, _> = answers.iter().map(|(id, answer)| (id.as_bytes(), answer)).collect();
        let (mut ids, mut errors, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        for attempts in Attempts::of(held.clone())? {
            let Some((error, is_permanent)) = answer_of.get(attempts.reminder.as_bytes()) else { continue };
            ids.push(attempts.reminder);
            // Who has no address any more may have been forgotten, and the text may quote the one that they had.
            errors.push(match error {
                Some(text) if !attempts.has_address => Some(without_text(text)),
                error => error.clone(),
            });
            waits.push(attempts.wait(*is_permanent));
        }
        let arguments = [ids.into(), errors.into(), waits.into(), as_of.into()];
        let given_up: Vec<bool> = FAILED.write(&arguments, |rows| rows.column("given_up"))?;
        if given_up.contains(&true) {
            notify::failed()?;
        }
    }
    Ok(stale(reminders, &held))
}

/// Returns the ids that are no longer the caller's.
fn extended(
    reminders: Vec<Uuid>,
    claim_id: Option<Uuid>,
    lease: Option<Interval>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Vec<Uuid>> {
    static EXTEND: Statement = Statement::by_index(
        include_str!("../../sql/delivery/extend_leases.sql"),
        &[types::UUIDS, types::MOMENT, types::INTERVAL],
    );
    static RELEASE: Statement =
        Statement::by_index(include_str!("../../sql/delivery/release_withdrawn.sql"), &[types::UUIDS]);
    ANSWERED.require()?;
    let (lease, as_of) = (arguments::lease(lease)?, arguments::as_of(as_of)?);
    let (held, withdrawn): (Vec<_>, Vec<_>) =
        lock_held(reminders.clone(), claim_id)?.into_iter().partition(|(_, is_pending)| *is_pending);
    let (held, withdrawn) = (ids_of(held), ids_of(withdrawn));
    if !withdrawn.is_empty() {
        RELEASE.run(&[withdrawn.into()])?;
    }
    if !held.is_empty() {
        EXTEND.run(&[held.clone().into(), as_of.into(), lease.into()])?;
    }
    Ok(stale(reminders, &held))
}

fn ids_of(held: Vec<(Uuid, bool)>) -> Vec<Uuid> {
    held.into_iter().map(|(id, _)| id).collect()
}

/// Those of the answered reminders that are not held.
fn stale(answered: Vec<Uuid>, held: &[Uuid]) -> Vec<Uuid> {
    let held: HashSet<_> = held.iter().map(Uuid::as_bytes).collect();
    answered.into_iter().filter(|id| !held.contains(id.as_bytes())).collect()
}

fn ids(reminder_ids: Option<Vec<Option<Uuid>>>) -> Result<Vec<Uuid>> {
    let ids: Option<Vec<Uuid>> = reminder_ids.ok_or_else(|| null_argument("reminder_ids"))?.into_iter().collect();
    ids.ok_or_else(|| null_argument("an element of reminder_ids"))
}

/// An array that belongs to the reminders one by one; without it, a NULL for each.
fn pairwise<T>(name: &str, values: Option<Vec<Option<T>>>, reminders: usize) -> Result<Vec<Option<T>>> {
    match values {
        None => Ok(std::iter::repeat_with(|| None).take(reminders).collect()),
        Some(values) if values.len() == reminders => Ok(values),
        Some(values) => Err(invalid_argument(
            format!("{name} has {} elements for {reminders} reminders", values.len()),
            "Each element belongs to the reminder at the same place.",
            format!("Give as many {name} as reminder_ids, with NULL where there is none."),
        )),
    }
}
