//! Digests: claims that hand out messages, each with all that is due to one person. What is due, fair and still to be sent, claims decide;
//! owned here is whom a message is for, and that nobody else makes one for them meanwhile.
//!
//! People are locked before their reminders are. Two claims that had locked some reminders of one person each would make two messages.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use pgrx::Uuid;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::asked::with_questions;
use super::claim::{Asked, Claimed, Decided, First, HandsOut, Met, PARAMETERS, Round, Terms, claim, picked, position};
use super::progress::Place;
use crate::server::errors::Result;
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns};
use crate::server::rows::{ResultSet, Row};
use crate::server::statement::{Statement, types};

returns!(
    /// A message. sql/delivery/digests.sql fills these columns, by their names; what its items say, sql/delivery/items.sql does.
    ClaimedDigests: SetOf,
    "TABLE (claim_id uuid, claimed_until timestamptz, idempotency_key text, organization_id uuid, organization_name text, \
     recipient_id uuid, recipient_email text, recipient_name text, recipient_timezone text, recipient_locale text, \
     unsubscribe_token text, reminder_ids uuid[], items jsonb)"
);

/// Hands out up to batch_size messages, one a row: each holds all that is due to one person at as_of, and is claimed as claim_reminders
/// claims, by the same rules. items is an array of objects, the oldest first: what claim_reminders returns of each reminder, and organization_name,
/// coordinator_name, coordinator_email, the assignment's metadata, and of an escalation reminded_name and reminded_at, or reminded_reason
/// (a skip_reason, or failed) where nobody could be reminded. People whose user_preferences.digest is false get a message for each reminder; so does what
/// is tried alone. A message counts as one for messages_per_minute.
///
/// While a claim that has not committed holds a person, others leave what is due to them; later, they find only what has come due since. A message holds at
/// most 10,000 reminders; what is more comes with the next. Answer with mark_digest_sent or record_digest_failure.
///
/// Errors are those of claim_reminders.
#[pg_extern(volatile)]
fn claim_digests(
    batch_size: default!(Option<i32>, 100),
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    organization_id: default!(Option<Uuid>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<ClaimedDigests>> {
    let terms = Terms { function: "claim_digests()", batch_size, lease, organization_id, as_of };
    let digests = HandsOut::Digests(Digests::default());
    let claimed = claim(terms, &digests)?;
    match digests {
        HandsOut::Digests(digests) if !claimed.rows.is_empty() => digests.messages(&claimed).map(SetOf::statement),
        _ => Ok(SetOf::statement(ResultSet::empty())),
    }
}

/// How many reminders a message may hold, and how many at least are decided on before other people's wait for the next claim.
const LARGEST: usize = 10_000;
/// So long a message may be, in bytes of JSON: far from where Postgres ends.
const LONGEST: usize = 64 * 1024 * 1024;

type Id = [u8; 16];

/// How many messages each organization may make.
type Shares = HashMap<Id, i32>;

/// The messages of one claim.
#[derive(Default)]
pub struct Digests {
    /// Whom this claim holds, and so makes one message for.
    held: RefCell<HashSet<Id>>,
    /// Those of them that something was claimed for.
    begun: RefCell<HashSet<Id>>,
}

/// A reminder that is due, as it was seen before anybody was locked.
struct Seed {
    reminder: Uuid,
    place: Place,
    /// Whom it goes to. `None`: it is not to be sent.
    recipient: Option<Uuid>,
    /// Whom its row names, where that is somebody else.
    named: Option<Uuid>,
    is_in_digest: bool,
}

impl Seed {
    fn read(row: Row, round: Round) -> Result<Self> {
        let is_to_be_sent: bool = row.not_null("is_to_be_sent")?;
        Ok(Self {
            reminder: row.not_null("reminder_id")?,
            place: position(&row)?,
            recipient: if is_to_be_sent { row.get("recipient_id")? } else { None },
            named: row.get("enqueued_recipient_id")?,
            is_in_digest: round == Round::Others && row.not_null("wants_digests")?,
        })
    }
}

/// What of some seeds is locked for their messages.
#[derive(Default)]
struct Held {
    reminders: HashSet<Id>,
    /// The place of the last that was, of organizations whose share was reached: what comes after it was not looked at.
    last: HashMap<Id, Option<usize>>,
}

impl Held {
    /// Whether one that is not among them stands before the last that is, or they were all looked at: then somebody else holds it.
    fn is_passed(&self, organization: &Id, at: usize) -> bool {
        match self.last.get(organization) {
            Some(last) => last.is_some_and(|last| at < last),
            None => true,
        }
    }
}

impl Digests {
    /// Looks whom the next are for, holds these people, and claims all that is due to them.
    pub fn decide(&self, asked: &Asked) -> Result<Decided> {
        let mut seeds = look(asked)?;
        let mut found = HashMap::new();
        for seed in &seeds {
            *found.entry(*seed.place.organization.as_bytes()).or_insert(0) += 1;
        }
        // Of each organization together, the oldest first.
        let order: HashMap<Id, usize> =
            asked.places.iter().enumerate().map(|(at, place)| (*place.organization.as_bytes(), at)).collect();
        seeds.sort_by_key(|seed| order.get(seed.place.organization.as_bytes()).copied());
        let organizations = asked.places.iter().map(|place| *place.organization.as_bytes());
        let shares: Shares = organizations.zip(asked.messages.iter().copied()).collect();
        let held = self.hold(&seeds, &shares)?;
        let (mut seeds, mut left) = self.within_shares(seeds, &held, shares);
        seeds.sort_by_key(|seed| seed.place.reached.map(|(available_at, number)| (available_at.into_inner(), number)));
        let mut due = self.due_to(&seeds, asked.as_of)?;

        let (mut ids, mut persons) = (Ids::default(), Ids::default());
        // How many more each person's message may hold.
        let mut room: HashMap<Id, usize> = HashMap::new();
        let mut taken = 0;
        for seed in &seeds {
            match seed.recipient {
                None => {
                    ids.add(seed.reminder);
                }
                Some(person) if !seed.is_in_digest => {
                    persons.add(person);
                    ids.add(seed.reminder);
                }
                Some(person) if self.held.borrow().contains(person.as_bytes()) => {
                    let others = due.remove(person.as_bytes()).unwrap_or_default();
                    if ids.len() > 0 && ids.len() + others.len() > LARGEST {
                        break;
                    }
                    persons.add(person);
                    let room = room.entry(*person.as_bytes()).or_insert(LARGEST);
                    for reminder in std::iter::once(seed.reminder).chain(others) {
                        if *room > 0 {
                            *room -= usize::from(ids.add(reminder));
                        }
                    }
                    if *room == 0 && !ids.has(seed.reminder) {
                        break; // it comes with the next message
                    }
                }
                Some(_) => {} // somebody else holds them
            }
            taken += 1;
        }
        let met = if ids.len() == 0 { Vec::new() } else { Met::all(&take(asked, ids.0, persons.0)?)? };
        let work = i32::try_from(met.len().max(taken)).unwrap_or(i32::MAX);
        left.extend(seeds[taken..].iter().map(|seed| *seed.place.organization.as_bytes()));
        for organization in left {
            // Something of it was seen and not decided on: there is more of it than was asked for.
            found.insert(organization, i32::MAX);
        }
        let reached = seeds[..taken].iter().map(|seed| seed.place).collect();
        let claimed = Met::claimed(met);
        Ok(Decided { taken: self.new_messages(&claimed)?, claimed, found, reached, work })
    }

    /// Of each organization what makes no more messages than its share, and the organizations of which something is left. What somebody else holds makes none.
    fn within_shares(&self, seeds: Vec<Seed>, held: &Held, mut shares: Shares) -> (Vec<Seed>, HashSet<Id>) {
        let mut people = self.begun.borrow().clone();
        let mut left = HashSet::new();
        let mut is_within = |at: usize, seed: &Seed| {
            let organization = seed.place.organization.as_bytes();
            // What comes behind one that is left is left, too.
            let (Some(share), false) = (shares.get_mut(organization), left.contains(organization)) else {
                return false;
            };
            let Some(recipient) = seed.recipient else { return true };
            let is_decided = if !seed.is_in_digest || held.reminders.contains(seed.reminder.as_bytes()) {
                let is_new = !seed.is_in_digest || people.insert(*recipient.as_bytes());
                let is_free = !is_new || *share > 0;
                *share -= i32::from(is_new);
                is_free
            } else {
                // Passed by whoever went on to the next that is free, or to the end.
                held.is_passed(organization, at)
            };
            if !is_decided {
                left.insert(*organization);
            }
            is_decided
        };
        let seeds =
            seeds.into_iter().enumerate().filter(|(at, seed)| is_within(*at, seed)).map(|(_, seed)| seed).collect();
        (seeds, left)
    }

    /// Holds the people that these are for, as many of each organization as it may have messages, but for those whom somebody else has locked, or
    /// what is due to them. With the rights of the tables' owner: a lock needs more than the right to read.
    fn hold(&self, seeds: &[Seed], shares: &Shares) -> Result<Held> {
        static HOLD: Statement = Statement::by_index(
            include_str!("../../sql/delivery/hold_people.sql"),
            &[types::UUIDS, types::INTS, types::INTS, types::UUIDS, types::UUIDS, types::INTS],
        );
        let for_digests: Vec<(usize, &Seed, Uuid)> = seeds
            .iter()
            .enumerate()
            .filter(|(_, seed)| seed.is_in_digest)
            .filter_map(|(at, seed)| seed.recipient.map(|person| (at, seed, person)))
            .collect();
        let (mut organizations, mut firsts, mut lasts, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let share_of = |organization: &Id| shares.get(organization).copied().unwrap_or(0);
        let mut end = 0;
        for of_one in for_digests.chunk_by(|(_, one, _), (_, next, _)| {
            one.place.organization.as_bytes() == next.place.organization.as_bytes()
        }) {
            let organization = of_one[0].1.place.organization;
            // Array subscripts begin at 1.
            let first = end + 1;
            end += i32::try_from(of_one.len()).unwrap_or(i32::MAX);
            organizations.push(organization);
            firsts.push(first);
            lasts.push(end);
            sizes.push(share_of(organization.as_bytes()));
        }
        let mut held = Held::default();
        if organizations.is_empty() {
            return Ok(held);
        }
        let keys: Vec<Id> = organizations.iter().map(|organization| *organization.as_bytes()).collect();
        let reminders: Vec<Uuid> = for_digests.iter().map(|(_, seed, _)| seed.reminder).collect();
        let people: Vec<Uuid> = for_digests.iter().map(|(.., person)| *person).collect();
        let arguments =
            [organizations.into(), firsts.into(), lasts.into(), reminders.into(), people.into(), sizes.into()];
        let locked: Vec<(Uuid, Uuid)> = as_owner_of("users", || {
            HOLD.write(&arguments, |rows| {
                rows.map(|row| Ok((row.not_null("reminder_id")?, row.not_null("person_id")?))).collect()
            })
        })?;
        for (reminder, person) in locked {
            held.reminders.insert(*reminder.as_bytes());
            self.held.borrow_mut().insert(*person.as_bytes());
        }
        let mut numbers: HashMap<Id, (i32, usize)> = HashMap::new();
        for (at, seed, _) in for_digests {
            if held.reminders.contains(seed.reminder.as_bytes()) {
                let (number, last) = numbers.entry(*seed.place.organization.as_bytes()).or_insert((0, at));
                (*number, *last) = (*number + 1, at);
            }
        }
        for organization in keys {
            let (number, last) = numbers.get(&organization).copied().unwrap_or((0, 0));
            if number >= share_of(&organization) {
                held.last.insert(organization, (number > 0).then_some(last));
            }
        }
        Ok(held)
    }

    /// What is due to those who are held and were not yet: their ids by person.
    fn due_to(&self, seeds: &[Seed], as_of: TimestampWithTimeZone) -> Result<HashMap<Id, Vec<Uuid>>> {
        static DUE: Statement = Statement::by_index(
            include_str!("../../sql/delivery/due_to.sql"),
            &[types::MOMENT, types::UUIDS, types::UUIDS],
        );
        let (mut asked, mut people, mut named) = (HashSet::new(), Vec::new(), Vec::new());
        for seed in seeds.iter().filter(|seed| seed.is_in_digest) {
            let Some(person) = seed.recipient.filter(|person| self.held.borrow().contains(person.as_bytes())) else {
                continue;
            };
            for name in [Some(person), seed.named].into_iter().flatten() {
                if asked.insert((*person.as_bytes(), *name.as_bytes())) {
                    people.push(person);
                    named.push(name);
                }
            }
        }
        let mut due: HashMap<Id, Vec<Uuid>> = HashMap::new();
        if people.is_empty() {
            return Ok(due);
        }
        DUE.write(&[as_of.into(), people.into(), named.into()], |rows| {
            for row in rows {
                let person: Uuid = row.not_null("user_id")?;
                due.entry(*person.as_bytes()).or_default().push(row.not_null("reminder_id")?);
            }
            Ok(())
        })?;
        Ok(due)
    }

    /// How many messages of each organization these begin.
    fn new_messages(&self, rows: &ResultSet) -> Result<HashMap<Id, i32>> {
        let mut messages = HashMap::new();
        for row in rows.rows() {
            let recipient = *row.not_null::<Uuid>("recipient_id")?.as_bytes();
            let is_new = !self.held.borrow().contains(&recipient) || self.begun.borrow_mut().insert(recipient);
            if is_new {
                *messages.entry(*row.not_null::<Uuid>("organization_id")?.as_bytes()).or_insert(0) += 1;
            }
        }
        Ok(messages)
    }

    /// A row for each message, the one with the oldest reminder first.
    fn messages(&self, claimed: &Claimed) -> Result<ResultSet> {
        static MESSAGES: Statement = Statement::by_index(
            include_str!("../../sql/delivery/digests.sql"),
            &[types::TEXTS, types::INTS, types::UUIDS, types::TEXTS],
        );
        let mut rows = Vec::new();
        for row in claimed.rows.rows() {
            let Some((available_at, number)) = position(row)?.reached else { continue };
            let recipient = *row.not_null::<Uuid>("recipient_id")?.as_bytes();
            let (reminder, key): (Uuid, String) = (row.not_null("reminder_id")?, row.not_null("idempotency_key")?);
            rows.push((available_at.into_inner(), number, recipient, reminder, key, row.not_null::<String>("item")?));
        }
        rows.sort_by_key(|(available_at, number, ..)| (*available_at, *number));
        let (mut items, mut numbers, mut last) = (Vec::new(), Vec::new(), 0);
        let (mut reminders, mut keys) = (Vec::new(), Vec::new());
        // The message of each person, and how long it is.
        let mut messages: HashMap<Id, (i32, usize)> = HashMap::new();
        for (_, _, recipient, reminder, key, item) in rows {
            let open = messages.get(&recipient).copied().filter(|(_, length)| length + item.len() <= LONGEST);
            let (message, length) = open.unwrap_or_else(|| {
                last += 1;
                (last, 0)
            });
            if self.held.borrow().contains(&recipient) {
                messages.insert(recipient, (message, length + item.len()));
            }
            items.push(item);
            numbers.push(message);
            reminders.push(reminder);
            keys.push(key);
        }
        with_questions(|| MESSAGES.write_rows(&[items.into(), numbers.into(), reminders.into(), keys.into()]))
    }
}

/// Ids, each once, in order.
#[derive(Default)]
struct Ids(Vec<Uuid>, HashSet<Id>);

impl Ids {
    /// Whether it is new.
    fn add(&mut self, id: Uuid) -> bool {
        let is_new = self.1.insert(*id.as_bytes());
        if is_new {
            self.0.push(id);
        }
        is_new
    }

    fn has(&self, id: Uuid) -> bool {
        self.1.contains(id.as_bytes())
    }

    const fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a claim would pick, the oldest first, of whatever organization: what is left of one lies behind what is taken of it.
fn look(asked: &Asked) -> Result<Vec<Seed>> {
    static OLDEST: Statement =
        Statement::by_index(picked!("pick_oldest", "pick_seen", "judge", "addressees"), PARAMETERS);
    static DUE_DATES: Statement =
        Statement::by_index(picked!("pick_due_dates", "pick_seen", "judge", "addressees"), PARAMETERS);
    let statement = match asked.first {
        First::Oldest => &OLDEST,
        First::DueDates => &DUE_DATES,
    };
    with_questions(|| {
        statement.write(&asked.arguments(), |rows| rows.map(|row| Seed::read(row, asked.round)).collect())
    })
}

/// Claims these reminders, as far as they go to these people.
fn take(asked: &Asked, reminders: Vec<Uuid>, people: Vec<Uuid>) -> Result<ResultSet> {
    static TAKE: Statement = Statement::by_index(
        concat!(
            include_str!("../../sql/delivery/take.sql"),
            include_str!("../../sql/delivery/judge.sql"),
            include_str!("../../sql/delivery/claim.sql"),
            include_str!("../../sql/delivery/claim_all.sql"),
            "), claimed AS (\n",
            include_str!("../../sql/delivery/lease.sql"),
            include_str!("../../sql/delivery/items.sql"),
        ),
        PARAMETERS,
    );
    let mut arguments = asked.arguments();
    // All of a message, however few messages are wanted.
    (arguments[3], arguments[10]) = (reminders.into(), people.into());
    with_questions(|| TAKE.write_rows(&arguments))
}
