//! Claiming: which reminders a worker gets. Fair between organizations, oldest first, judged as they are handed out.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Instant;

use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::asked::with_questions;
use super::digest::Digests;
use super::limit::{Limit, Limits};
use super::notify;
use super::progress::{self, Place};
use crate::arguments;
use crate::history;
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
    let terms = Terms { function: "claim_reminders()", batch_size, lease, organization_id, as_of };
    claim(terms, &HandsOut::Reminders).map(|claimed| SetOf::statement(claimed.rows))
}

/// What a worker asks for.
pub struct Terms {
    pub function: &'static str,
    pub batch_size: Option<i32>,
    pub lease: Option<Interval>,
    pub organization_id: Option<Uuid>,
    pub as_of: Option<TimestampWithTimeZone>,
}

/// In what portions a claim hands reminders out. Each is a message, and what is wanted, limited and shared is messages.
pub enum HandsOut {
    Reminders,
    Digests(Digests),
}

/// Claims by these terms, checked.
pub fn claim(terms: Terms, hands_out: &HandsOut) -> Result<Claimed> {
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
    let batch_size = arguments::size("batch_size", terms.batch_size)?;
    let lease = arguments::lease(terms.lease)?;
    let as_of = arguments::as_of_claim(terms.as_of)?;
    WHOLE.require()?;
    let organization = existing_organization(terms.organization_id)?;
    require_read_committed(
        terms.function,
        "In a stricter one it would not see a contact or an opt-out that was committed after the transaction began.",
    )?;

    history::about(as_of, || Claim { batch_size, as_of, lease, hands_out }.make_any(organization))
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
    /// Whether this session's last claim was of one that is tried alone: then it is the others' turn. Where each claim has a session of its own, one
    /// session begins with the one, and another with the others.
    static WAS_ALONE: Cell<bool> = Cell::new(std::process::id().is_multiple_of(2));
}

struct Claim<'a> {
    batch_size: i32,
    as_of: TimestampWithTimeZone,
    lease: Interval,
    hands_out: &'a HandsOut,
}

/// What was claimed, and how many messages of each organization that is.
pub struct Claimed {
    pub rows: ResultSet,
    pub messages: HashMap<[u8; 16], i32>,
}

impl Claimed {
    fn nothing() -> Self {
        Self { rows: ResultSet::empty(), messages: HashMap::new() }
    }
}

/// An organization that has something due, and where to go on in it.
#[derive(Clone, Copy)]
struct Queue {
    place: Place,
    /// How many of its messages this claim may still take.
    most: i32,
    /// Whether its oldest one is to be tried alone.
    is_alone: bool,
    first: First,
    /// Where to go on among what comes first of due dates.
    place_of_due_dates: Place,
}

/// What of an organization comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// What students are told of due dates: where a limit binds, it would come too late.
    DueDates,
    Oldest,
}

impl Queue {
    const fn organization(&self) -> Uuid {
        self.place.organization
    }

    /// Where to go on.
    const fn next(&self) -> Place {
        match self.first {
            First::DueDates => self.place_of_due_dates,
            First::Oldest => self.place,
        }
    }

    /// One statement found `found` of `size` here, got as far as `reached`, and handed out `taken` messages.
    fn went_on(&mut self, size: i32, found: i32, reached: Option<Place>, taken: i32) {
        let is_exhausted = found < size; // nothing more, or nothing that nobody holds
        self.most -= taken;
        match self.first {
            First::DueDates if is_exhausted => self.first = First::Oldest,
            First::DueDates => self.place_of_due_dates = reached.unwrap_or(self.place_of_due_dates),
            First::Oldest if is_exhausted => self.most = 0,
            First::Oldest => self.place = reached.unwrap_or(self.place),
        }
    }
}

/// What one statement, or what belongs together of several, decided.
pub struct Decided {
    /// What was skipped or given up has no claim, and is nothing for the worker.
    pub claimed: ResultSet,
    /// How many messages of each organization these are.
    pub taken: HashMap<[u8; 16], i32>,
    /// How many it met of each organization, whatever became of them.
    pub found: HashMap<[u8; 16], i32>,
    /// How far it got: nothing is left before these.
    pub reached: Vec<Place>,
    /// How much it looked at.
    pub work: i32,
}

/// What one statement is to decide on.
pub struct Asked<'a> {
    pub as_of: TimestampWithTimeZone,
    pub lease: Interval,
    pub places: &'a [Place],
    /// Of each place so many.
    pub sizes: &'a [i32],
    /// Of each place so many messages, where others have some, too.
    pub messages: &'a [i32],
    /// How many messages may be handed out.
    pub left: i32,
    pub claim_id: Uuid,
    pub round: Round,
    pub first: First,
}

/// A claim that begins at the starts of its queues.
struct Beginning {
    started: Instant,
    /// Whether it looked for all organizations.
    is_of_all: bool,
}

impl Claim<'_> {
    /// Claims where the last claim ended, and else from the start.
    fn make_any(&self, organization: Option<Uuid>) -> Result<Claimed> {
        let known = progress::places().map(|places| of_organization(places, organization));
        if let Some(places) = known {
            let claimed = self.make(places, None)?;
            if !claimed.rows.is_empty() {
                return Ok(claimed);
            }
        }
        // What came back or came late may lie behind the places where the last claim ended.
        let started = Instant::now();
        let places = match organization {
            Some(organization) => vec![Place::start_of(organization)],
            None => waiting_organizations(self.as_of)?,
        };
        self.make(places, Some(Beginning { started, is_of_all: organization.is_none() }))
    }

    /// What is claimed from these places on. Where they are the starts of all, what is tried alone is claimed when there is nothing else.
    fn make(&self, places: Vec<Place>, beginning: Option<Beginning>) -> Result<Claimed> {
        let is_from_the_start = beginning.is_some();
        let begun =
            beginning.filter(|beginning| beginning.is_of_all).map(|beginning| (beginning.started, places.clone()));
        let (queues, limits) = self.queues(places)?;
        if let Some((started, places)) = begun {
            // What was sent before stands in the way of both looks.
            progress::began(started.elapsed(), &places);
        }
        let mut decided = 0;
        let mut claimed = Claimed::nothing();
        let is_their_turn = !WAS_ALONE.get() && queues.iter().any(|queue| queue.is_alone);
        if is_their_turn {
            claimed = self.rounds(&queues, Round::Alone, &mut decided)?;
        }
        if claimed.rows.is_empty() {
            claimed = self.rounds(&queues, Round::Others, &mut decided)?;
            WAS_ALONE.set(WAS_ALONE.get() && claimed.rows.is_empty());
        }
        if claimed.rows.is_empty() && is_from_the_start && !is_their_turn {
            claimed = self.rounds(&queues, Round::Alone, &mut decided)?;
        }
        if claimed.rows.is_empty() && decided >= BOUND {
            notify::enqueued()?;
        }
        Limit::save(&limits, &claimed.messages, self.as_of)?;
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
        let mut queues: Vec<Queue> = QUEUES.write(&arguments, |rows| {
            rows.map(|row| {
                let organization = row.not_null("organization_id")?;
                let reached = Some((row.not_null("after_available_at")?, row.not_null("after_number")?));
                let place = Place { organization, reached };
                let place_of_due_dates = Place::start_of(organization);
                // The batch is shared out; a limit may be lower.
                let (most, first) = (i32::MAX, First::Oldest);
                Ok(Queue { place, most, is_alone: row.not_null("is_alone")?, first, place_of_due_dates })
            })
            .collect()
        })?;
        let Limits { paused, limited } = Limits::of(queues.iter().map(Queue::organization).collect(), self.as_of)?;
        queues.retain(|queue| !paused.contains(queue.organization().as_bytes()));
        let limits = Limit::lock(limited, self.as_of)?;
        let allowances: HashMap<[u8; 16], i32> = limits.iter().map(Limit::allowance).collect();
        for queue in &mut queues {
            if let Some(&allowance) = allowances.get(queue.organization().as_bytes()) {
                (queue.most, queue.first) = (allowance, First::DueDates);
            }
        }
        queues.retain(|queue| queue.most > 0);
        Ok((queues, limits))
    }

    /// Goes through the queues until enough is claimed, nothing is left, or enough is decided on. What one of them cannot fill, since
    /// others hold it or it is not to be sent, the others get.
    fn rounds(&self, queues: &[Queue], round: Round, decided: &mut i32) -> Result<Claimed> {
        let mut queues = queues.to_vec();
        if round == Round::Alone {
            for queue in &mut queues {
                queue.first = First::Oldest;
            }
        }
        let mut claimed = Claimed::nothing();
        let wanted = match round {
            Round::Alone => 1,
            Round::Others => self.batch_size,
        };
        // So many are decided on at once where there is little to hand out among them.
        let mut reach = 0;
        let claim_id = random::uuid()?;
        let mut count = 0;
        while count < wanted && !queues.is_empty() && *decided < BOUND {
            let (asked, before) = ((wanted - count).max(reach), count);
            let most: Vec<i32> = queues.iter().map(|queue| queue.most).collect();
            let (mut shares, mut quotas) = (shares(&most, asked), shares(&most, wanted - count));
            let mut is_behind = vec![false; queues.len()];
            for first in [First::DueDates, First::Oldest] {
                let here: Vec<usize> =
                    (0..queues.len()).filter(|&at| queues[at].first == first && shares[at] > 0).collect();
                let places: Vec<Place> = here.iter().map(|&at| queues[at].next()).collect();
                let sizes: Vec<i32> = here.iter().map(|&at| shares[at]).collect();
                let messages: Vec<i32> = here.iter().map(|&at| quotas[at]).collect();
                let left = wanted - count;
                if places.is_empty() || left <= 0 {
                    continue;
                }
                let (as_of, lease, places, sizes) = (self.as_of, self.lease, &places, &sizes);
                let ask = Asked { as_of, lease, places, sizes, messages: &messages, left, claim_id, round, first };
                let Decided { claimed: rows, taken, found, reached, work } = match self.hands_out {
                    HandsOut::Reminders => ask.decide()?,
                    HandsOut::Digests(digests) => digests.decide(&ask)?,
                };
                *decided += work;
                count += taken.values().sum::<i32>();
                if first == First::Oldest {
                    progress::ended(&reached);
                }
                if count >= wanted && sizes.iter().sum::<i32>() > left {
                    notify::enqueued()?;
                }
                let reached = furthest(&reached);
                for (&at, &size) in here.iter().zip(sizes) {
                    let queue = &mut queues[at];
                    let organization = *queue.organization().as_bytes();
                    let of = |counts: &HashMap<[u8; 16], i32>| counts.get(&organization).copied().unwrap_or(0);
                    queue.went_on(size, of(&found), reached.get(&organization).copied(), of(&taken));
                    // Where due dates came first, the rest of its share is of the oldest.
                    shares[at] -= of(&taken);
                    quotas[at] -= of(&taken);
                    is_behind[at] = quotas[at] > 0;
                }
                for (organization, messages) in taken {
                    *claimed.messages.entry(organization).or_insert(0) += messages;
                }
                claimed.rows.append(rows);
            }
            // What one could not fill, the others are asked for first.
            let (behind, others): (Vec<_>, Vec<_>) =
                std::iter::zip(queues, is_behind).partition(|(_, is_behind)| *is_behind);
            queues = others.into_iter().chain(behind).map(|(queue, _)| queue).filter(|queue| queue.most > 0).collect();
            reach = if count - before <= asked / 2 { (asked * 2).min(LARGEST_ROUND) } else { 0 };
        }
        if round == Round::Alone && !claimed.rows.is_empty() {
            WAS_ALONE.set(true);
        }
        Ok(claimed)
    }
}

/// What a statement of a claim begins with, after pick.sql: what comes first.
macro_rules! picked {
    ($first:literal, $($rest:literal),+) => {
        concat!(
            include_str!("../../sql/delivery/pick.sql"),
            include_str!(concat!("../../sql/delivery/", $first, ".sql")),
            $(include_str!(concat!("../../sql/delivery/", $rest, ".sql"))),+
        )
    };
}
pub(super) use picked;

macro_rules! claims {
    ($first:literal, $which:literal) => {
        concat!(
            picked!($first, "pick_locked", "judge", "claim", $which),
            ")\n",
            include_str!("../../sql/delivery/lease.sql")
        )
    };
}

/// What statements of claims take: pick.sql, take.sql, claim_in_turn.sql and lease.sql say what each is.
pub const PARAMETERS: &[pgrx::pg_sys::BuiltinOid] = &[
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
    types::UUIDS,
];

impl Asked<'_> {
    /// The arguments of a statement that picks.
    pub fn arguments(&self) -> [pgrx::datum::DatumWithOid<'static>; 11] {
        let (organizations, available_at, numbers) = Place::columns(self.places);
        [
            self.as_of.into(),
            Follows::DueDate.other_types().into(),
            self.lease.into(),
            organizations.into(),
            self.sizes.to_vec().into(),
            available_at.into(),
            numbers.into(),
            self.left.into(),
            self.claim_id.into(),
            (self.round == Round::Alone).into(),
            None::<Vec<Uuid>>.into(),
        ]
    }

    /// One statement: of each queue so many, of which `left` are handed out.
    fn decide(&self) -> Result<Decided> {
        static OLDEST: Statement = Statement::by_index(claims!("pick_oldest", "claim_all"), PARAMETERS);
        static OLDEST_IN_TURN: Statement = Statement::by_index(claims!("pick_oldest", "claim_in_turn"), PARAMETERS);
        static DUE_DATES: Statement = Statement::by_index(claims!("pick_due_dates", "claim_all"), PARAMETERS);
        static DUE_DATES_IN_TURN: Statement =
            Statement::by_index(claims!("pick_due_dates", "claim_in_turn"), PARAMETERS);
        let are_all_wanted = self.sizes.iter().sum::<i32>() <= self.left;
        let statement = match (self.first, are_all_wanted) {
            (First::Oldest, true) => &OLDEST,
            (First::Oldest, false) => &OLDEST_IN_TURN,
            (First::DueDates, true) => &DUE_DATES,
            (First::DueDates, false) => &DUE_DATES_IN_TURN,
        };
        let met = Met::all(&with_questions(|| statement.write_rows(&self.arguments()))?)?;
        let places = || met.iter().map(|(met, _)| met.place);
        let handed_out: Vec<Place> = met.iter().filter(|(met, _)| met.is_claimed).map(|(met, _)| met.place).collect();
        let (found, taken) = (per_organization(places()), per_organization(handed_out.iter().copied()));
        let is_enough = i32::try_from(handed_out.len()).unwrap_or(i32::MAX) >= self.left;
        // Of more than was wanted, some may have been left between these.
        let reached = if is_enough { handed_out } else { places().collect() };
        let work = i32::try_from(met.len()).unwrap_or(i32::MAX);
        Ok(Decided { claimed: Met::claimed(met), taken, found, reached, work })
    }
}

/// What was decided on one reminder.
pub struct Met {
    place: Place,
    is_claimed: bool,
    /// Whether a claim of it was never answered.
    is_lost: bool,
    is_given_up: bool,
}

impl Met {
    /// What a statement with lease.sql has written, the oldest first, with its rows. Logs the attempts that nobody answered for.
    pub fn all(rows: &ResultSet) -> Result<Vec<(Self, Row)>> {
        let columns = ["organization_id", "available_at", "number", "claim_id", "is_lost", "is_given_up"];
        let mut met = rows.each(columns, |cells| {
            let reached = (cells.not_null::<TimestampWithTimeZone>(1)?, cells.not_null::<i64>(2)?);
            Ok(Self {
                place: Place { organization: cells.not_null(0)?, reached: Some(reached) },
                is_claimed: cells.get::<Uuid>(3)?.is_some(),
                is_lost: cells.not_null(4)?,
                is_given_up: cells.not_null(5)?,
            })
        })?;
        met.sort_by_key(|(met, _)| met.place.reached.map(|(available_at, number)| (available_at.into_inner(), number)));
        log_lost(&met)?;
        Ok(met)
    }

    /// The rows of what a worker gets.
    pub fn claimed(met: Vec<(Self, Row)>) -> ResultSet {
        met.into_iter().filter(|(met, _)| met.is_claimed).map(|(_, row)| row).collect()
    }
}

/// What a round is for: those that may be what kills workers, and so are tried alone, or all others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Round {
    Alone,
    Others,
}

/// Where a row stands in the queue of its organization.
pub fn position(row: &Row) -> Result<Place> {
    let reached = Some((row.not_null("available_at")?, row.not_null("number")?));
    Ok(Place { organization: row.not_null("organization_id")?, reached })
}

/// How many places there are in the queue of each organization.
fn per_organization(places: impl Iterator<Item = Place>) -> HashMap<[u8; 16], i32> {
    let mut found = HashMap::new();
    for place in places {
        *found.entry(*place.organization.as_bytes()).or_insert(0) += 1;
    }
    found
}

/// The furthest place of each organization.
fn furthest(places: &[Place]) -> HashMap<[u8; 16], Place> {
    let mut found: HashMap<[u8; 16], Place> = HashMap::new();
    for place in places {
        let known = found.entry(*place.organization.as_bytes()).or_insert(*place);
        *known = known.further(*place);
    }
    found
}

/// Logs the attempts that nobody answered for, and notifies when a reminder was given up for it.
fn log_lost(decided: &[(Met, Row)]) -> Result<()> {
    static LOG: Statement =
        Statement::by_index(include_str!("../../sql/delivery/log_lost.sql"), &[types::UUIDS, types::TEXTS]);
    let (mut reminders, mut addresses) = (Vec::<Uuid>::new(), Vec::<Option<String>>::new());
    for (_, row) in decided.iter().filter(|(met, _)| met.is_lost) {
        reminders.push(row.not_null("reminder_id")?);
        addresses.push(row.get("lost_email")?);
    }
    if !reminders.is_empty() {
        LOG.run(&[reminders.into(), addresses.into()])?;
    }
    if decided.iter().any(|(met, _)| met.is_given_up) {
        notify::failed()?;
    }
    Ok(())
}
