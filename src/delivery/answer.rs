//! Answers to a claim: sent, failed, given back, or still at it. An answer counts for as long as nobody else has claimed the reminder;
//! after that it changes nothing, and says so.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::TimeDelta;
use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::asked::with_questions;
use super::limit::Limits;
use super::pauses::{Stopped, stop};
use super::{deleted, events, notify};
use crate::arguments;
use crate::privacy::recordable;
use crate::rules::answer::{Fault, is_of_the_data};
use crate::rules::bounce::{self, Verdict};
use crate::rules::kind::Follows;
use crate::rules::privacy::without_text;
use crate::rules::retry::{AfterFailure, after_failure};
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::row_security::Whole;
use crate::server::rows::{Row, Rows};
use crate::server::setting::with_lock_timeout;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::{attempt_where, is_lock_not_available};

/// Records a claimed reminder as sent, with the provider's message id and the inbox it was sent from, and logs it.
/// True: recorded. False: the claim no longer holds (another one has it, it was answered before, or the reminder is
/// gone), and nothing was changed.
///
/// 22004 for a NULL id, 22023 for an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn mark_reminder_sent(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    message_id: default!(Option<&str>, "NULL"),
    from_inbox: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    let sent = Sent { from_inbox, as_of: arguments::as_of_claim(as_of)? };
    answer_one((reminder, message_id.map(str::to_string)), claim_id, &sent)
}

/// Records the reminders of one claim as sent, as mark_reminder_sent does; message_ids are pairwise, or NULL. Returns
/// the ids that were not recorded, for which nothing was changed: none when all is well. Their claim no longer holds, or a constraint or
/// trigger of yours refuses the row, which a WARNING tells of; the others are recorded nevertheless.
///
/// 22004 for NULL ids, 22023 for arrays of different lengths or an as_of over 31 days ahead.
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
    let sent = Sent { from_inbox, as_of: arguments::as_of_claim(as_of)? };
    Ok(SetOfIterator::new(answer_each(answers, claim_id, &sent)?))
}

/// Records that sending a claimed reminder failed, and logs it: it is retried after a backoff or, when the failure is
/// permanent or `max_attempts` is reached, given up (status failed, and a notification). Of the error, only the codes are
/// kept where the addressee has no address any more, or where it has an address in it and anybody is being forgotten (forget_person()).
/// True: recorded. False: the claim no longer holds, and nothing was changed.
///
/// 22004 for a NULL id, 22023 for an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn mark_reminder_failed(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    error: Option<&str>,
    permanent: default!(Option<bool>, false),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    let failure = Failure { fault: None, error: error.map(str::to_string), is_permanent: permanent };
    answer_one((reminder, failure), claim_id, &Failed::of_each(arguments::as_of_claim(as_of)?))
}

/// Records that sending the reminders of one claim failed, as mark_reminder_failed does; errors and permanent are
/// pairwise, or NULL. Returns the ids that were not recorded, as mark_reminders_sent does.
///
/// 22004 for NULL ids, 22023 for arrays of different lengths or an as_of over 31 days ahead.
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
    let failures = errors.into_iter().zip(permanent);
    let failures = failures.map(|(error, is_permanent)| Failure { fault: None, error, is_permanent });
    let answers: Vec<_> = reminders.into_iter().zip(failures).collect();
    Ok(SetOfIterator::new(answer_each(answers, claim_id, &Failed::of_each(arguments::as_of_claim(as_of)?))?))
}

/// Records that sending a claimed reminder failed, and whose fault it was. recipient: as mark_reminder_failed does; and what error says of the
/// address is judged as record_delivery_event judges a bounce of a message to it: a dead address is given up, and the person who has it opted
/// out; one that is theirs no more is not tried again, and the one that they have now is at once; a mailbox that does not take it now counts as one soft bounce when the reminder is given up. sender (what refuses all that the organization sends) and
/// transport (the way there): no attempt is lost, and nothing of the organization is claimed for a while, 15 minutes and 1 minute at first, up to an
/// hour where it fails again as soon as it goes on; claim_rates and the health functions tell of it. NULL: as mark_reminder_failed does. True: recorded.
/// False: the claim no longer holds, and nothing was changed.
///
/// permanent is what the caller knows: true gives the reminder up (unless the sender or transport is at fault), and, of a recipient, makes a dead address of what
/// error leaves unclear; false rules a dead address out. NULL leaves it to error.
///
/// A person whom somebody else has locked is waited for, a second in one call: after that, what is said of their address does not count, with a WARNING.
///
/// Beside what an answer needs, a recipient's fault needs the rights of record_delivery_event, a sender's and transport's those of a claim on claim_rates.
///
/// 22004 for a NULL id, 22023 for another fault or an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn record_delivery_failure(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    fault: Option<&str>,
    error: Option<&str>,
    permanent: default!(Option<bool>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    let fault = fault.map(fault_named).transpose()?;
    let failure = Failure { fault, error: error.map(str::to_string), is_permanent: permanent };
    let failed = Failed::of_each(arguments::as_of_claim(as_of)?);
    Failed::require([fault])?;
    answer_one((reminder, failure), claim_id, &failed)
}

/// Records that sending the reminders of one claim failed, as record_delivery_failure does; faults, errors and permanent are pairwise, or NULL.
/// Returns the ids that were not recorded, as mark_reminders_sent does.
///
/// 22004 for NULL ids, 22023 for arrays of different lengths, another fault or an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn record_delivery_failures(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    faults: Option<Vec<Option<String>>>,
    errors: Option<Vec<Option<String>>>,
    permanent: default!(Option<Vec<Option<bool>>>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    let reminders = ids(reminder_ids)?;
    let faults = pairwise("faults", faults, reminders.len())?;
    let faults: Result<Vec<Option<Fault>>> =
        faults.into_iter().map(|fault| fault.as_deref().map(fault_named).transpose()).collect();
    let faults = faults?;
    let errors = pairwise("errors", errors, reminders.len())?;
    let permanent = pairwise("permanent", permanent, reminders.len())?;
    let failed = Failed::of_each(arguments::as_of_claim(as_of)?);
    Failed::require(faults.iter().copied())?;
    let failures = faults.into_iter().zip(errors).zip(permanent);
    let failures = failures.map(|((fault, error), is_permanent)| Failure { fault, error, is_permanent });
    let answers: Vec<_> = reminders.into_iter().zip(failures).collect();
    Ok(SetOfIterator::new(answer_each(answers, claim_id, &failed)?))
}

/// Records a message of claim_digests as sent: all of its reminders, under one message id, as mark_reminder_sent does. What the provider reports of it later counts
/// once. Returns the ids that were not recorded, as mark_reminders_sent does.
///
/// 22004 for NULL ids, 22023 for an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn mark_digest_sent(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    message_id: default!(Option<&str>, "NULL"),
    from_inbox: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    let answers = ids(reminder_ids)?.into_iter().map(|id| (id, message_id.map(str::to_string))).collect();
    let sent = Sent { from_inbox, as_of: arguments::as_of_claim(as_of)? };
    Ok(SetOfIterator::new(answer_each(answers, claim_id, &sent)?))
}

/// Records that sending a message of claim_digests failed, and whose fault it was, as record_delivery_failure does for each of its reminders. They wait for as
/// long as the first of them would alone, so that they come back together; and what is said of the recipient's address counts once, as it is
/// one message. Returns the ids that were not recorded, as mark_reminders_sent does.
///
/// 22004 for NULL ids, 22023 for another fault or an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn record_digest_failure(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    fault: Option<&str>,
    error: Option<&str>,
    permanent: default!(Option<bool>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    let reminders = ids(reminder_ids)?;
    let fault = fault.map(fault_named).transpose()?;
    let failed = Failed::of_one_message(arguments::as_of_claim(as_of)?);
    Failed::require([fault])?;
    let failure = |id| (id, Failure { fault, error: error.map(str::to_string), is_permanent: permanent });
    Ok(SetOfIterator::new(answer_each(reminders.into_iter().map(failure).collect(), claim_id, &failed)?))
}

fn fault_named(name: &str) -> Result<Fault> {
    Fault::named(name).ok_or_else(|| {
        invalid_argument(
            format!("{name} is no fault"),
            "A message is not handed over by the fault of its recipient, of the sender, or of the transport.",
            "Give recipient, sender or transport, or NULL where it is not known.",
        )
    })
}

/// Gives claimed reminders back that were not sent: they wait as before the claim, with no attempt lost, and others may claim them at once. Nobody is
/// notified, so that whoever gives back what they cannot send is not woken by it. Returns the ids whose claim no longer holds, or that were not recorded,
/// as mark_reminders_sent does.
///
/// 22004 for NULL ids.
#[pg_extern(volatile)]
fn return_reminders(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
) -> Result<SetOfIterator<'static, Uuid>> {
    let answers: Vec<_> = ids(reminder_ids)?.into_iter().map(|id| (id, ())).collect();
    Ok(SetOfIterator::new(answer_each(answers, claim_id, &Returned)?))
}

/// Keeps a claimed reminder for another lease from as_of on. True: it is the caller's until then. False: the claim no
/// longer holds, or a claim would not hand it out any more, by the same rule and to the same address: do not send it. What is to go to
/// somebody else now, and all of an organization whose sending is paused or whose messages_per_minute is 0, is given back for the next claim, with no
/// attempt lost. False, too, of what somebody else has locked for over a second: give it back, or its lease ends with an attempt lost.
///
/// 22004 for a NULL id, 22023 for a lease of nothing or of more than a day, or an as_of over 31 days ahead.
#[pg_extern(volatile)]
fn extend_reminder_lease(
    reminder_id: Option<Uuid>,
    claim_id: Option<Uuid>,
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    let reminder = reminder_id.ok_or_else(|| null_argument("reminder_id"))?;
    let extended = Extended { lease: arguments::lease(lease)?, as_of: arguments::as_of_claim(as_of)? };
    JUDGED_AGAIN.require()?;
    answer_one((reminder, ()), claim_id, &extended)
}

/// Keeps the reminders of one claim, as extend_reminder_lease does. Returns the ids that are no longer the caller's.
#[pg_extern(volatile)]
fn extend_reminder_leases(
    reminder_ids: Option<Vec<Option<Uuid>>>,
    claim_id: Option<Uuid>,
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOfIterator<'static, Uuid>> {
    let answers: Vec<_> = ids(reminder_ids)?.into_iter().map(|id| (id, ())).collect();
    let extended = Extended { lease: arguments::lease(lease)?, as_of: arguments::as_of_claim(as_of)? };
    JUDGED_AGAIN.require()?;
    Ok(SetOfIterator::new(answer_each(answers, claim_id, &extended)?))
}

/// What an answer must see, and writes.
const ANSWERED: Whole = Whole {
    updates: &["reminders"],
    inserts: &["send_logs"],
    ..Whole::reads(&["reminders", "reminder_settings", "users", "assignments"])
};
/// What judging again must see beside that.
const JUDGED_AGAIN: Whole = Whole::reads(&["organizations", "peer_mentors", "user_preferences", "claim_rates"]);

/// One answer, to be written with others of its kind.
trait Answer {
    /// What it says of each reminder.
    type Said;
    /// Whether it is waited for whoever has a reminder locked, however long that takes: what became of a message must be recorded.
    const WAITS: bool = true;

    /// Whether it is logged of a reminder that was deleted while its claim held it.
    const LOGS_DELETED: bool = false;

    /// Writes it of reminders that are locked. Returns those of them that are not recorded nevertheless.
    fn write(&self, held: &[Held<Self::Said>]) -> Result<Vec<Uuid>>;

    /// Writes it of a single reminder that is not locked, if this claim holds it. False: nothing was written, and what there is to say is found when it is locked.
    fn write_one(&self, _reminder: Uuid, _claim: Uuid, _said: &Self::Said) -> Result<bool> {
        Ok(false)
    }

    /// Nothing of what it has written stands: it is written anew, one by one.
    fn begin_again(&self) {}

    /// Logs it of one that was deleted while this claim held it, if there was one. Returns whether it is recorded.
    fn log_deleted(&self, _reminder: Uuid, _claim: Uuid, _said: &Self::Said) -> Result<bool> {
        Ok(false)
    }
}

/// A locked reminder that is answered for.
struct Held<'a, S> {
    reminder: Uuid,
    organization: Uuid,
    /// Not withdrawn since it was claimed.
    is_pending: bool,
    said: &'a S,
}

/// Locks those of these reminders that the claim still holds, in order, and what is said of them: the last that is said of each.
///
/// Where somebody else has one of them locked, waits for as long as there is patience, and 55P03 then. `None`: without end.
fn lock_held<S>(answers: &[(Uuid, S)], claim_id: Option<Uuid>, patience: Option<Duration>) -> Result<Vec<Held<'_, S>>> {
    static LOCK: Statement =
        Statement::by_index(include_str!("../../sql/delivery/lock_claimed.sql"), &[types::UUIDS, types::UUID]);
    let claim = claim_id.ok_or_else(|| null_argument("claim_id"))?;
    let said: HashMap<_, _> = answers.iter().map(|(id, said)| (*id.as_bytes(), said)).collect();
    let reminders: Vec<Uuid> = answers.iter().map(|(id, _)| *id).collect();
    let lock = |rows: Rows| {
        let held = rows.map(|row| {
            let reminder: Uuid = row.not_null("id")?;
            let Some(&said) = said.get(reminder.as_bytes()) else { return Ok(None) };
            let (organization, is_pending) = (row.not_null("organization_id")?, row.not_null("is_pending")?);
            Ok(Some(Held { reminder, organization, is_pending, said }))
        });
        held.filter_map(Result::transpose).collect()
    };
    let arguments = [reminders.into(), claim.into()];
    match patience {
        Some(patience) => with_lock_timeout(patience, || LOCK.write(&arguments, lock))?,
        None => LOCK.write(&arguments, lock),
    }
}

/// Locks those of these reminders that the claim still holds and nobody else has locked.
fn lock_free<S>(answers: &[(Uuid, S)], claim_id: Option<Uuid>) -> Result<HashSet<[u8; 16]>> {
    static LOCK: Statement = Statement::by_index(
        concat!(include_str!("../../sql/delivery/lock_claimed.sql"), " SKIP LOCKED"),
        &[types::UUIDS, types::UUID],
    );
    let reminders: Vec<Uuid> = answers.iter().map(|(id, _)| *id).collect();
    let free: Vec<Uuid> = LOCK.write(&[reminders.into(), claim_id.into()], |rows| rows.column("id"))?;
    Ok(free.iter().map(|id| *id.as_bytes()).collect())
}

fn ids_of<S>(held: &[Held<S>]) -> Vec<Uuid> {
    held.iter().map(|held| held.reminder).collect()
}

/// For how long an answer that need not wait does, for somebody who has one of its reminders locked.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers for one reminder. Returns whether it was recorded; what refuses it is the caller's to hear.
fn answer_one<A: Answer>(said: (Uuid, A::Said), claim_id: Option<Uuid>, answer: &A) -> Result<bool> {
    ANSWERED.require()?;
    let said = [said];
    if A::WAITS {
        return Ok(answer_all(&said, claim_id, answer, None)?.is_empty());
    }
    let work = || answer_all(&said, claim_id, answer, Some(PATIENCE));
    Ok(attempt_where(is_lock_not_available, work)?.is_ok_and(|unrecorded| unrecorded.is_empty()))
}

/// Answers for many, and returns those that were not recorded. What was sent must be recorded, so one that a constraint or a trigger refuses is left
/// out: if they do not go together, they go one by one.
fn answer_each<A: Answer>(said: Vec<(Uuid, A::Said)>, claim_id: Option<Uuid>, answer: &A) -> Result<Vec<Uuid>> {
    ANSWERED.require()?;
    let patience = (!A::WAITS).then_some(PATIENCE);
    let is_told = |sqlstate: &str| is_of_the_data(sqlstate) || !A::WAITS && is_lock_not_available(sqlstate);
    // Locked inside: rows that are locked in one transaction and written in another one's subtransaction cost Postgres more.
    let done = attempt_where(is_told, || answer_all(&said, claim_id, answer, patience))?;
    if done.is_err() {
        answer.begin_again();
    }
    match done {
        Ok(unrecorded) => Ok(unrecorded),
        Err(failure) if is_lock_not_available(&failure.sqlstate()) => {
            // Nothing is waited for any more: whoever waits while it holds the others might wait in a circle.
            let free = lock_free(&said, claim_id)?;
            let (free, locked): (Vec<_>, Vec<_>) = said.into_iter().partition(|(id, _)| free.contains(id.as_bytes()));
            let mut unrecorded = answer_one_by_one(&free, claim_id, answer)?;
            unrecorded.extend(locked.iter().map(|(id, _)| *id));
            Ok(unrecorded)
        }
        Err(_) => answer_one_by_one(&said, claim_id, answer),
    }
}

fn answer_one_by_one<A: Answer>(said: &[(Uuid, A::Said)], claim_id: Option<Uuid>, answer: &A) -> Result<Vec<Uuid>> {
    let held = lock_held(said, claim_id, None)?;
    let mut unrecorded = still_unrecorded(not_in(said, &ids_of(&held)), said, claim_id, answer)?;
    for held in held {
        let reminder = held.reminder;
        match attempt_where(is_of_the_data, || answer.write(std::slice::from_ref(&held)))? {
            Ok(left_out) => unrecorded.extend(left_out),
            Err(failure) => {
                warning!(
                    "the answer for reminder {reminder} was not recorded: {} (SQLSTATE {})",
                    failure.message,
                    failure.sqlstate()
                );
                unrecorded.push(reminder);
            }
        }
    }
    Ok(unrecorded)
}

fn answer_all<A: Answer>(
    said: &[(Uuid, A::Said)],
    claim_id: Option<Uuid>,
    answer: &A,
    patience: Option<Duration>,
) -> Result<Vec<Uuid>> {
    // One alone is locked as it is written: there is no order to keep.
    if let ([(reminder, said)], Some(claim)) = (said, claim_id)
        && answer.write_one(*reminder, claim, said)?
    {
        return Ok(Vec::new());
    }
    let held = lock_held(said, claim_id, patience)?;
    let mut unrecorded = still_unrecorded(not_in(said, &ids_of(&held)), said, claim_id, answer)?;
    if !held.is_empty() {
        unrecorded.extend(answer.write(&held)?);
    }
    Ok(unrecorded)
}

/// Those of the answered reminders that are not held.
fn not_in<S>(answered: &[(Uuid, S)], held: &[Uuid]) -> Vec<Uuid> {
    let held: HashSet<_> = held.iter().map(Uuid::as_bytes).collect();
    answered.iter().map(|(id, _)| *id).filter(|id| !held.contains(id.as_bytes())).collect()
}

/// Those that nobody holds any more, but for those that were deleted while this claim held them: what a worker says of these is logged.
fn still_unrecorded<A: Answer>(
    not_held: Vec<Uuid>,
    said: &[(Uuid, A::Said)],
    claim_id: Option<Uuid>,
    answer: &A,
) -> Result<Vec<Uuid>> {
    let Some(claim) = claim_id.filter(|_| A::LOGS_DELETED && !not_held.is_empty()) else { return Ok(not_held) };
    let mut unrecorded = Vec::new();
    let deleted = deleted::of(&not_held, claim)?;
    for id in not_held {
        let said = said.iter().rfind(|(other, _)| other.as_bytes() == id.as_bytes());
        let is_recorded = match said {
            Some((_, said)) if deleted.contains(id.as_bytes()) => answer.log_deleted(id, claim, said)?,
            _ => false,
        };
        if !is_recorded {
            unrecorded.push(id);
        }
    }
    Ok(unrecorded)
}

/// They were handed to the provider, under these message ids.
struct Sent<'a> {
    from_inbox: Option<&'a str>,
    as_of: TimestampWithTimeZone,
}

impl Answer for Sent<'_> {
    type Said = Option<String>;
    const LOGS_DELETED: bool = true;

    fn write(&self, held: &[Held<Self::Said>]) -> Result<Vec<Uuid>> {
        let messages = held.iter().map(|held| held.said.clone()).collect();
        self.record(ids_of(held), messages, None).map(|_| Vec::new())
    }

    fn write_one(&self, reminder: Uuid, claim: Uuid, message: &Option<String>) -> Result<bool> {
        Ok(self.record(vec![reminder], vec![message.clone()], Some(claim))? == 1)
    }

    fn log_deleted(&self, reminder: Uuid, claim: Uuid, message: &Option<String>) -> Result<bool> {
        deleted::sent(reminder, claim, message.as_deref(), self.from_inbox)
    }
}

impl Sent<'_> {
    /// Returns how many were: of locked ones, or of what this claim may hold.
    fn record(&self, reminders: Vec<Uuid>, messages: Vec<Option<String>>, claim: Option<Uuid>) -> Result<usize> {
        static SENT: Statement = Statement::by_index(
            include_str!("../../sql/delivery/mark_sent.sql"),
            &[types::UUIDS, types::TEXTS, types::TEXT, types::MOMENT, types::TEXTS, types::UUID],
        );
        let must_be_named = Follows::DueDate.other_types();
        let arguments = [
            reminders.into(),
            messages.into(),
            self.from_inbox.into(),
            self.as_of.into(),
            must_be_named.into(),
            claim.into(),
        ];
        SENT.write(&arguments, |rows| Ok(rows.count()))
    }
}

/// The worker is still at it. What was withdrawn, or is not to be sent any more, is lost to it.
struct Extended {
    lease: Interval,
    as_of: TimestampWithTimeZone,
}

impl Answer for Extended {
    type Said = ();
    const WAITS: bool = false;

    fn write(&self, held: &[Held<()>]) -> Result<Vec<Uuid>> {
        static EXTEND: Statement = Statement::by_index(
            concat!(
                include_str!("../../sql/delivery/held.sql"),
                include_str!("../../sql/delivery/judge.sql"),
                include_str!("../../sql/delivery/extend.sql"),
            ),
            &[types::MOMENT, types::TEXTS, types::INTERVAL, types::UUIDS],
        );
        static RELEASE: Statement =
            Statement::by_index(include_str!("../../sql/delivery/release_withdrawn.sql"), &[types::UUIDS]);
        let (pending, withdrawn): (Vec<_>, Vec<_>) = held.iter().partition(|held| held.is_pending);
        let limits = Limits::of(pending.iter().map(|held| held.organization).collect(), self.as_of)?;
        let (stopped, pending): (Vec<_>, Vec<_>) = pending.into_iter().partition(|held| limits.stop(held.organization));
        let ids = |held: &[&Held<()>]| -> Vec<Uuid> { held.iter().map(|held| held.reminder).collect() };
        let (mut lost, stopped, pending) = (ids(&withdrawn), ids(&stopped), ids(&pending));
        if !lost.is_empty() {
            RELEASE.run(&[lost.clone().into()])?;
        }
        if !stopped.is_empty() {
            give_back(stopped.clone())?;
            lost.extend(stopped);
        }
        if !pending.is_empty() {
            let other_types = Follows::DueDate.other_types();
            let arguments = [self.as_of.into(), other_types.into(), self.lease.into(), pending.into()];
            let judged: Vec<(Uuid, bool)> = with_questions(|| {
                EXTEND.write(&arguments, |rows| {
                    rows.map(|row| Ok((row.not_null("id")?, row.not_null("is_kept")?))).collect()
                })
            })?;
            lost.extend(judged.into_iter().filter(|(_, is_kept)| !is_kept).map(|(id, _)| id));
        }
        Ok(lost)
    }
}

/// They were not sent, and nobody tried.
struct Returned;

/// Locked ones wait as before their claim.
fn give_back(reminders: Vec<Uuid>) -> Result<()> {
    static RETURN: Statement =
        Statement::by_index(include_str!("../../sql/delivery/return_claimed.sql"), &[types::UUIDS]);
    RETURN.run(&[reminders.into()])
}

impl Answer for Returned {
    type Said = ();

    fn write(&self, held: &[Held<()>]) -> Result<Vec<Uuid>> {
        give_back(ids_of(held)).map(|()| Vec::new())
    }
}

/// They could not be handed over.
struct Failed {
    as_of: TimestampWithTimeZone,
    /// Where they are one message: the addresses that were told what it says of them.
    told: Option<RefCell<HashSet<([u8; 16], String)>>>,
    patience: events::Patience,
}

/// Why one could not.
struct Failure {
    /// `None`: not told.
    fault: Option<Fault>,
    error: Option<String>,
    is_permanent: Option<bool>,
}

impl Failure {
    /// What is kept with it. Whom it blames is kept where the worker cannot tell, too, so that health warns of it.
    fn verdict(&self) -> Option<Verdict> {
        let report = self.error.as_deref().unwrap_or_default();
        match self.fault {
            Some(fault) => fault.verdict(self.is_permanent, report),
            None => bounce::blames_sender(report).then_some(Verdict::Sender),
        }
    }

    /// What it says of the address. What is to be tried again says nothing yet: a mailbox may be full, or greylist, for minutes only.
    fn verdict_on_recipient(&self, is_given_up: bool) -> Option<Verdict> {
        let verdict = self.verdict().filter(|_| self.fault == Some(Fault::Recipient))?;
        (is_given_up || verdict == Verdict::Hard).then_some(verdict)
    }

    /// Whether no retry can change it.
    fn is_final(&self) -> bool {
        self.is_permanent == Some(true) || self.fault == Some(Fault::Recipient) && self.verdict() == Some(Verdict::Hard)
    }
}

impl Failed {
    const fn of_each(as_of: TimestampWithTimeZone) -> Self {
        Self { as_of, told: None, patience: events::Patience::new() }
    }

    fn of_one_message(as_of: TimestampWithTimeZone) -> Self {
        Self { as_of, told: Some(RefCell::default()), patience: events::Patience::new() }
    }

    /// Whether it is the first that is said of this address by the message that it is about.
    fn is_news(&self, organization: Uuid, address: &str) -> bool {
        let Some(told) = &self.told else { return true };
        told.borrow_mut().insert((*organization.as_bytes(), address.to_string()))
    }

    /// What faults ask for beside an answer.
    fn require(faults: impl IntoIterator<Item = Option<Fault>>) -> Result<()> {
        const JUDGED: Whole = Whole {
            updates: &["users"],
            inserts: &["send_logs"],
            ..Whole::reads(&["send_logs", "reminder_settings", "users"])
        };
        const STOPPED: Whole =
            Whole { updates: &["claim_rates"], inserts: &["claim_rates"], ..Whole::reads(&["claim_rates"]) };
        let faults: Vec<Fault> = faults.into_iter().flatten().collect();
        if faults.contains(&Fault::Recipient) {
            JUDGED.require()?;
        }
        if faults.iter().any(|fault| fault.stops_for().is_some()) {
            STOPPED.require()?;
        }
        Ok(())
    }
}

impl Answer for Failed {
    type Said = Failure;
    const LOGS_DELETED: bool = true;

    fn write(&self, held: &[Held<Failure>]) -> Result<Vec<Uuid>> {
        static FAILED: Statement = Statement::by_index(
            include_str!("../../sql/delivery/mark_failed.sql"),
            &[types::UUIDS, types::TEXTS, types::FLOATS, types::MOMENT, types::TEXTS, types::INTS],
        );
        let failure_of: HashMap<_, _> = held.iter().map(|held| (*held.reminder.as_bytes(), held.said)).collect();
        let attempts = Attempts::of(ids_of(held))?;
        let stopped = self.stopped(&attempts, &failure_of)?;
        let counted = counted(held)?;

        let (mut ids, mut errors, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        let (mut verdicts, mut costs) = (Vec::new(), Vec::new());
        for attempts in attempts {
            let Some(failure) = failure_of.get(attempts.reminder.as_bytes()) else { continue };
            ids.push(attempts.reminder);
            // Who has no address any more may have been forgotten, and the text may quote the one that they had.
            errors.push(
                failure
                    .error
                    .as_deref()
                    .map(|text| if attempts.has_address { recordable(text).into_owned() } else { without_text(text) }),
            );
            verdicts.push(failure.verdict().map(Verdict::name));
            let pause = failure.fault.filter(|fault| fault.stops_for().is_some());
            let is_of_another = failure.fault == Some(Fault::Recipient) && attempts.has_another_address;
            waits.push(match pause.and_then(|_| stopped.wait(attempts.organization)) {
                Some(wait) => Some(wait),
                // At the address that they have now it was not tried.
                None if is_of_another => Some(0.0),
                None => attempts.wait(failure.is_final()),
            });
            costs.push(i32::from(pause.is_none() && !is_of_another));
        }
        if self.told.is_some() {
            // What is tried again is one message again.
            let first = waits.iter().copied().flatten().reduce(f64::min);
            waits.iter_mut().filter(|wait| wait.is_some()).for_each(|wait| *wait = first);
        }
        let arguments = [ids.into(), errors.into(), waits.into(), self.as_of.into(), verdicts.into(), costs.into()];
        let mut written: Vec<Written> = FAILED.write(&arguments, |rows| rows.map(Written::read).collect())?;
        if written.iter().any(|written| written.is_given_up) {
            notify::failed()?;
        }
        // In one order, so that two who answer for the same people do not lock each other. Of one message, what did not count before comes first.
        let order = |written: &Written| {
            let was_counted = counted.contains(written.reminder.as_bytes());
            (*written.organization.as_bytes(), written.address.clone(), was_counted)
        };
        written.sort_by_cached_key(order);
        for Written { reminder, organization, address, error, is_given_up } in written {
            let Some(failure) = failure_of.get(reminder.as_bytes()) else { continue };
            if let (Some(verdict), Some(address)) = (failure.verdict_on_recipient(is_given_up), address) {
                let was_counted = counted.contains(reminder.as_bytes());
                if !self.is_news(organization, &address) {
                    continue;
                }
                events::not_delivered(organization, &address, verdict, was_counted, error.as_deref(), &self.patience)?;
            }
        }
        Ok(Vec::new())
    }

    fn begin_again(&self) {
        if let Some(told) = &self.told {
            told.borrow_mut().clear();
        }
    }

    /// It stops nobody: others will tell what is wrong.
    fn log_deleted(&self, reminder: Uuid, claim: Uuid, failure: &Failure) -> Result<bool> {
        let (error, verdict) = (failure.error.as_deref().map(recordable), failure.verdict());
        let error = error.as_deref();
        let logged = deleted::failed(reminder, claim, error, verdict.map(Verdict::name))?;
        if let (Some((organization, Some(address))), Some(verdict)) = (&logged, failure.verdict_on_recipient(false))
            && self.is_news(*organization, address)
        {
            events::not_delivered(*organization, address, verdict, false, error, &self.patience)?;
        }
        Ok(logged.is_some())
    }
}

impl Failed {
    /// Stops the organizations whose sender or transport is at fault.
    fn stopped(&self, attempts: &[Attempts], failure_of: &HashMap<[u8; 16], &Failure>) -> Result<Stopped> {
        let faults = attempts.iter().filter_map(|attempts| {
            let failure = failure_of.get(attempts.reminder.as_bytes())?;
            let fault = failure.fault.filter(|fault| fault.stops_for().is_some())?;
            Some((attempts.organization, fault, failure.error.as_deref()))
        });
        stop(faults.collect(), self.as_of)
    }
}

/// Those of which a failure counted against the address before.
fn counted(held: &[Held<Failure>]) -> Result<HashSet<[u8; 16]>> {
    static COUNTED: Statement =
        Statement::by_index(include_str!("../../sql/delivery/counted_failures.sql"), &[types::UUIDS]);
    let judged = held.iter().filter(|held| held.said.fault == Some(Fault::Recipient));
    let judged: Vec<Uuid> = judged.map(|held| held.reminder).collect();
    if judged.is_empty() {
        return Ok(HashSet::new());
    }
    let counted: Vec<Uuid> = COUNTED.write(&[judged.into()], |rows| rows.column("id"))?;
    Ok(counted.iter().map(|id| *id.as_bytes()).collect())
}

/// A failure that was recorded.
struct Written {
    reminder: Uuid,
    organization: Uuid,
    address: Option<String>,
    /// As it may be kept.
    error: Option<String>,
    is_given_up: bool,
}

impl Written {
    fn read(row: Row) -> Result<Self> {
        Ok(Self {
            reminder: row.not_null("reminder_id")?,
            organization: row.not_null("organization_id")?,
            address: row.get("to_email")?,
            error: row.get("error")?,
            is_given_up: row.not_null("given_up")?,
        })
    }
}

/// What decides on the next attempt of a reminder.
struct Attempts {
    reminder: Uuid,
    organization: Uuid,
    made: i32,
    max: i32,
    retry_base: TimeDelta,
    jitter: f64,
    has_address: bool,
    /// Not the one that was written to: that one's fault is not theirs.
    has_another_address: bool,
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
            organization: row.not_null("organization_id")?,
            made: row.not_null("attempts")?,
            max: row.not_null("max_attempts")?,
            retry_base: TimeDelta::milliseconds(milliseconds),
            jitter: row.not_null("jitter")?,
            has_address: row.not_null("has_address")?,
            has_another_address: row.not_null("has_another_address")?,
        })
    }

    /// The wait before the next one, in seconds, now that another has failed; `None`: give up.
    fn wait(&self, is_final: bool) -> Option<f64> {
        match after_failure(self.made.saturating_add(1), self.max, is_final, self.retry_base, self.jitter) {
            AfterFailure::RetryAfter(wait) => Some(wait.as_seconds_f64()),
            AfterFailure::GiveUp => None,
        }
    }
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
