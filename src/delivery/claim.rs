//! Claiming: which reminders a worker gets. Fair between organizations, oldest first, judged as they are handed out.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Instant;

use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::asked::with_questions;
use super::limit::{Limit, Limited};
use super::notify;
use super::progress::{self, Place};
use crate::arguments;
use crate::organization::existing_organization;
use crate::rules::kind::Follows;
use crate::rules::share::shares;
use crate::server::errors::Result;
use crate::server::random;
use crate::server::result::{SetOf, returns};
use crate::server::row_security::Whole;
use crate::server::rows::{ResultSet, Row};
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};

returns!(
    /// What a worker gets. These columns since 0.1.0 and for good: a function that returns others is another function, which
    /// users' grants and views do not know. sql/delivery/claim.sql fills them, by their names.
    ClaimedReminders: SetOf,
    "TABLE (reminder_id uuid, claim_id uuid, claimed_until timestamptz, idempotency_key text, organization_id uuid, \
     reminder_type text, recipient_id uuid, recipient_email text, recipient_name text, recipient_timezone text, \
     assignment_id uuid, assignment_title text, student_name text, peer_mentor_name text, last_contact_date date, \
     days_since integer, due_at timestamptz, due_at_local timestamp, anchor timestamptz, scheduled_for timestamptz, \
     attempts integer)"
);

/// Hands out up to batch_size reminders that are due at as_of, oldest first and in turn over the organizations, leased
/// to the caller until lease has passed; after that, another claim may take them. What should no longer be sent is
/// skipped with its reason instead. What somebody else has locked is left to the next claim. No row: nothing can be claimed, or 10,000 were
/// skipped, and workers are notified to claim again. Answer with mark_reminder_sent or mark_reminder_failed. A
/// claim that nobody answered for before its lease ended has cost an attempt; the last one after that is handed out
/// alone, in turn with all others, and after max_attempts the reminder is given up (status failed, and a notification).
/// NULL organization: all that the caller sees.
///
/// 22004 for NULL, 22023 for a size outside 1 to 10,000, a lease outside a day or an as_of over 31 days ahead, 22008 for an infinite as_of, 02000
/// for an unknown organization, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
fn claim_reminders(
    batch_size: default!(Option<i32>, 100),
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    organization_id: default!(Option<Uuid>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<ClaimedReminders>> {
    const WHOLE: Whole = Whole {
        updates: &["reminders", "claim_rates"],
        inserts: &["send_logs", "claim_rates"],
        ..Whole::reads(&[
            "organizations",
            "reminder_settings",
            "reminders",
            "assignments",
            "peer_mentors",
            "users",
            "user_preferences",
            "claim_rates",
        ])
    };
    let batch_size = arguments::size("batch_size", batch_size)?;
    let lease = arguments::lease(lease)?;
    let as_of = arguments::as_of_claim(as_of)?;
    WHOLE.require()?;
    let organization = existing_organization(organization_id)?;
    require_read_committed(
        "claim_reminders()",
        "In a stricter one it would not see a contact or an opt-out that was committed after the transaction began.",
    )?;

    let claim = Claim { batch_size, as_of, lease };
    let known = progress::places().map(|places| of_organization(places, organization));
    if let Some(places) = known {
        let claimed = claim.make(places, false)?;
        if !claimed.is_empty() {
            return Ok(SetOf::statement(claimed));
        }
    }
    // What came back or came late may lie behind the places where the last claim ended.
    let started = Instant::now();
    let places = match organization {
        Some(organization) => vec![Place::start_of(organization)],
        None => waiting_organizations(as_of)?,
    };
    if organization.is_none() {
        progress::began(started.elapsed(), &places);
    }
    claim.make(places, true).map(SetOf::statement)
}

fn of_organization(places: Vec<Place>, organization: Option<Uuid>) -> Vec<Place> {
    places.into_iter().filter(|place| organization.is_none_or(|only| place.organization == only)).collect()
}

/// The organizations in which something is due, each from its start.
fn waiting_organizations(as_of: TimestampWithTimeZone) -> Result<Vec<Place>> {
    static WAITING: Statement =
        Statement::by_index(include_str!("../../sql/delivery/waiting_organizations.sql"), &[types::MOMENT, types::INT]);
    /// So many are gone through before organizations are.
    const EARLY: i32 = 64;
    WAITING.write(&[as_of.into(), EARLY.into()], |rows| {
        Ok(rows.column("organization_id")?.into_iter().map(Place::start_of).collect())
    })
}

/// How many reminders one claim decides on, at least, before it returns without any.
const BOUND: i32 = 10_000;
/// How many one statement decides on, at most.
const LARGEST_ROUND: i32 = 10_000;

thread_local! {
    /// Whether this session's last claim was of one that is tried alone: then it is the others' turn.
    static WAS_ALONE: Cell<bool> = const { Cell::new(true) };
}

struct Claim {
    batch_size: i32,
    as_of: TimestampWithTimeZone,
    lease: Interval,
}

/// An organization that has something due, and where to go on in it.
#[derive(Clone, Copy)]
struct Queue {
    place: Place,
    /// How many of its messages this claim may still take.
    most: i32,
    /// Whether its oldest one is to be tried alone.
    is_alone: bool,
}

impl Claim {
    /// What is claimed from these places on. Where they are the starts of all, what is tried alone is claimed when there is nothing else.
    fn make(&self, places: Vec<Place>, is_from_the_start: bool) -> Result<ResultSet> {
        let (queues, limits) = self.queues(places)?;
        let mut decided = 0;
        let mut claimed = ResultSet::empty();
        let is_their_turn = !WAS_ALONE.get() && queues.iter().any(|queue| queue.is_alone);
        if is_their_turn {
            claimed = self.rounds(&queues, Round::Alone, &mut decided)?;
        }
        if claimed.is_empty() {
            claimed = self.rounds(&queues, Round::Others, &mut decided)?;
            WAS_ALONE.set(WAS_ALONE.get() && claimed.is_empty());
        }
        if claimed.is_empty() && is_from_the_start && !is_their_turn {
            claimed = self.rounds(&queues, Round::Alone, &mut decided)?;
        }
        if claimed.is_empty() && decided >= BOUND {
            notify::enqueued()?;
        }
        Limit::save(&limits, &claimed, self.as_of)?;
        Ok(claimed)
    }

    /// Those that have something due, the one with the oldest first, and the limits of those that have one.
    fn queues(&self, places: Vec<Place>) -> Result<(Vec<Queue>, Vec<Limit>)> {
        static QUEUES: Statement = Statement::by_index(
            include_str!("../../sql/delivery/queues.sql"),
            &[types::MOMENT, types::UUIDS, types::MOMENTS, types::BIGINTS],
        );
        let (organizations, available_at, numbers) = Place::columns(&places);
        let arguments = [self.as_of.into(), organizations.into(), available_at.into(), numbers.into()];
        let mut limited = Vec::new();
        let mut queues: Vec<Queue> = QUEUES.write(&arguments, |rows| {
            rows.map(|row| {
                let organization = row.not_null("organization_id")?;
                if let Some(per_minute) = row.get("messages_per_minute")? {
                    limited.push(Limited { organization, per_minute, is_counted: row.not_null("is_counted")? });
                }
                let reached = Some((row.not_null("after_available_at")?, row.not_null("after_number")?));
                let place = Place { organization, reached };
                Ok(Queue { place, most: self.batch_size, is_alone: row.not_null("is_alone")? })
            })
            .collect()
        })?;
        let limits = Limit::lock(limited, self.as_of)?;
        for limit in &limits {
            for queue in queues.iter_mut().filter(|queue| limit.is_of(queue.place.organization)) {
                queue.most = queue.most.min(limit.allowance);
            }
        }
        queues.retain(|queue| queue.most > 0);
        Ok((queues, limits))
    }

    /// Goes through the queues until enough is claimed, nothing is left, or enough is decided on. What one of them cannot fill, since
    /// others hold it or it is not to be sent, the others get.
    fn rounds(&self, queues: &[Queue], round: Round, decided: &mut i32) -> Result<ResultSet> {
        let mut queues = queues.to_vec();
        let mut claimed = ResultSet::empty();
        let wanted = match round {
            Round::Alone => 1,
            Round::Others => self.batch_size,
        };
        // So many are decided on at once where there is little to hand out among them.
        let mut reach = 0;
        let claim_id = random::uuid()?;
        loop {
            let left = wanted - claimed.count();
            if left <= 0 || queues.is_empty() || *decided >= BOUND {
                break;
            }
            let asked = left.max(reach);
            let sizes = shares(&queues.iter().map(|queue| queue.most).collect::<Vec<_>>(), asked);
            let mut rows = self.decide(&queues, &sizes, left, claim_id, round)?;
            *decided += rows.count();
            log_lost(&rows)?;
            let all = positions(&rows)?;
            // What was skipped or given up has no claim, and is nothing for the worker.
            rows.retain(|row| Ok(row.get::<Uuid>("claim_id")?.is_some()))?;
            let handed_out = positions(&rows)?;
            let is_enough = rows.count() == left;
            // Of more than was wanted, some may have been left between these.
            progress::ended(if is_enough { &handed_out } else { &all });
            if is_enough && asked > left {
                notify::enqueued()?;
            }
            let (met, taken) = (per_organization(&all), per_organization(&handed_out));
            for (queue, &size) in queues.iter_mut().zip(&sizes).filter(|(_, size)| **size > 0) {
                let organization = queue.place.organization;
                let (count, furthest) = met.get(organization.as_bytes()).copied().unwrap_or((0, queue.place));
                queue.place = furthest;
                queue.most = if count < size {
                    0 // nothing more, or nothing that nobody holds
                } else {
                    queue.most - taken.get(organization.as_bytes()).map_or(0, |(count, _)| *count)
                };
            }
            queues.retain(|queue| queue.most > 0);
            reach = if rows.count() <= asked / 2 { (asked * 2).min(LARGEST_ROUND) } else { 0 };
            claimed.append(rows);
        }
        if round == Round::Alone && !claimed.is_empty() {
            WAS_ALONE.set(true);
        }
        Ok(claimed)
    }

    /// One statement: of each queue so many, of which `left` are handed out.
    fn decide(&self, queues: &[Queue], sizes: &[i32], left: i32, claim_id: Uuid, round: Round) -> Result<ResultSet> {
        static CLAIM: Statement = Statement::by_index(
            concat!(
                include_str!("../../sql/delivery/pick.sql"),
                include_str!("../../sql/delivery/judge.sql"),
                include_str!("../../sql/delivery/claim.sql"),
            ),
            &[
                types::MOMENT,
                types::TEXTS,
                types::INTERVAL,
                types::UUIDS,
                types::INTS,
                types::MOMENTS,
                types::BIGINTS,
                types::INT,
                types::UUID,
                types::BOOL,
            ],
        );
        let asked: Vec<Place> =
            queues.iter().zip(sizes).filter(|(_, size)| **size > 0).map(|(queue, _)| queue.place).collect();
        let sizes: Vec<i32> = sizes.iter().copied().filter(|size| *size > 0).collect();
        let (organizations, available_at, numbers) = Place::columns(&asked);
        let arguments = [
            self.as_of.into(),
            Follows::DueDate.other_types().into(),
            self.lease.into(),
            organizations.into(),
            sizes.into(),
            available_at.into(),
            numbers.into(),
            left.into(),
            claim_id.into(),
            (round == Round::Alone).into(),
        ];
        with_questions(|| CLAIM.write_rows(&arguments))
    }
}

/// What a round is for: those that may be what kills workers, and so are tried alone, or all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Alone,
    Others,
}

/// Where the rows stand in the queues of their organizations.
fn positions(rows: &ResultSet) -> Result<Vec<Place>> {
    let position = |row: &Row| {
        let reached = Some((row.not_null("available_at")?, row.not_null("number")?));
        Ok(Place { organization: row.not_null("organization_id")?, reached })
    };
    rows.rows().map(position).collect()
}

/// How many there are of each organization, and the furthest.
fn per_organization(places: &[Place]) -> HashMap<[u8; 16], (i32, Place)> {
    let mut found: HashMap<[u8; 16], (i32, Place)> = HashMap::new();
    for place in places {
        let (count, furthest) = found.entry(*place.organization.as_bytes()).or_insert((0, *place));
        *count += 1;
        *furthest = furthest.further(*place);
    }
    found
}

/// Logs the attempts that nobody answered for, and notifies when a reminder was given up for it.
fn log_lost(decided: &ResultSet) -> Result<()> {
    static LOG: Statement =
        Statement::by_index(include_str!("../../sql/delivery/log_lost.sql"), &[types::UUIDS, types::TEXTS]);
    let (mut reminders, mut addresses, mut is_given_up) = (Vec::<Uuid>::new(), Vec::<Option<String>>::new(), false);
    for row in decided.rows() {
        is_given_up = is_given_up || row.not_null("is_given_up")?;
        if row.not_null("is_lost")? {
            reminders.push(row.not_null("reminder_id")?);
            addresses.push(row.get("lost_email")?);
        }
    }
    if !reminders.is_empty() {
        LOG.run(&[reminders.into(), addresses.into()])?;
    }
    if is_given_up {
        notify::failed()?;
    }
    Ok(())
}
