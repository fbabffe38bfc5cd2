//! Who is sent to when: claims as messages go out, some at once, the organizations in turn; and what follows from what became of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use super::Office;
use super::lane::{Failed, Lane, Outcome, Suspects, Todo};
use super::mail::WayId;
use super::message::{Held, Message};
use super::meters;
use super::queue::{Answer, Claimed, Trouble, longer};
use super::send::send;
use super::verdict::{Fault, Own};

/// After an organization was stopped, so that what was given back is not claimed in a circle.
const REST: Duration = Duration::from_secs(1);
/// How often a claim is tried where we are to end once nothing is left.
const TRIES: u32 = 8;
/// How often it is told what was sent.
const TELL: Duration = Duration::from_mins(1);

/// For how long we wait, once we are to stop, for answers that wait for others' locks.
pub const LAST: Duration = Duration::from_mins(1);
/// So many batches are held for organizations whose ways are busy, so that those of others are claimed meanwhile.
const HELD: usize = 10;
/// More messages than this are not remembered.
const SUSPECTS: usize = 10_000;

type Claim = JoinHandle<Result<Vec<Claimed>, Trouble>>;
/// What of a claim is kept: until when, and what is lost.
type Kept = (Uuid, Result<(DateTime<Utc>, Vec<Uuid>), Trouble>);

/// What did not go well.
#[derive(Clone, Copy, Default)]
pub struct Left {
    /// Messages that were not sent.
    pub unsent: usize,
    /// Answers that were not recorded.
    pub unrecorded: usize,
}

pub struct Dispatcher {
    office: Arc<Office>,
    due: Arc<Notify>,
    stopping: watch::Receiver<bool>,
    lanes: HashMap<Uuid, Lane>,
    /// The organizations that have something to send, whose turn it is first.
    turns: VecDeque<Uuid>,
    wire: JoinSet<(Uuid, WayId, usize, Outcome)>,
    /// How many are on the wire, of each way.
    busy: HashMap<WayId, usize>,
    suspects: Suspects,
    keeping: JoinSet<Kept>,
    next_keep: Instant,
    answers: JoinSet<()>,
    claiming: Option<Claim>,
    next_claim: Instant,
    /// Whether somebody notified since the last claim began.
    is_woken: bool,
    /// Not before: see REST.
    resting: Instant,
    trouble: (u32, Duration),
    /// How many claims in a row found nothing.
    empty: u32,
    sent: usize,
    unsent: usize,
    told: (Instant, usize, usize),
}

impl Dispatcher {
    pub fn new(office: Arc<Office>, due: Arc<Notify>, stopping: watch::Receiver<bool>) -> Self {
        let now = Instant::now();
        Self {
            office,
            due,
            stopping,
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            wire: JoinSet::new(),
            busy: HashMap::new(),
            suspects: Suspects::new(),
            keeping: JoinSet::new(),
            next_keep: now,
            answers: JoinSet::new(),
            claiming: None,
            next_claim: now,
            is_woken: false,
            resting: now,
            trouble: (0, Duration::ZERO),
            empty: 0,
            sent: 0,
            unsent: 0,
            told: (now, 0, 0),
        }
    }

    /// Until we are told to stop, or, where it is to end then, nothing is left.
    pub async fn run(mut self, once: bool) -> Left {
        let mut is_stopping = false;
        // When answers that wait for others' locks are not waited for any more.
        let mut stop_by = None;
        let office = Arc::clone(&self.office);
        loop {
            self.put_on_the_wire();
            let has_late = office.queue.late_answers() > 0 && stop_by.is_none_or(|stop_by| Instant::now() < stop_by);
            let is_idle = self.wire.is_empty()
                && self.answers.is_empty()
                && !has_late
                && self.claiming.is_none()
                && self.keeping.is_empty();
            let is_drained = once && (self.empty >= 2 || self.trouble.0 >= TRIES) && self.waiting() == 0;
            if is_idle && (is_stopping || is_drained) {
                break;
            }
            // Where all is to be seen before the end, what is under way comes first.
            let may_claim = !is_stopping
                && self.claiming.is_none()
                && self.answers.is_empty()
                && !office.queue.was_cut_off()
                && self.has_room()
                && !(once && self.empty > 0 && !self.wire.is_empty());
            let when = self.next_claim.max(self.resting);
            tokio::select! {
                changed = self.stopping.changed(), if !is_stopping => {
                    is_stopping = changed.is_err() || *self.stopping.borrow();
                    if is_stopping {
                        stop_by = Instant::now().checked_add(LAST);
                        self.abandon();
                    }
                }
                Some(done) = self.wire.join_next() => match done {
                    Ok((organization, way, nth, outcome)) => {
                        self.frees(way);
                        self.note(organization, nth, outcome);
                    }
                    Err(error) => tracing::error!("{error}"),
                },
                Some(_) = self.answers.join_next() => {}
                () = office.queue.settles(), if has_late => {}
                () = tokio::time::sleep_until(stop_by.unwrap_or(when)), if is_stopping && has_late => {}
                Some(kept) = self.keeping.join_next() => self.kept(kept),
                () = tokio::time::sleep_until(self.next_keep), if !is_stopping => self.keep(),
                claimed = under_way(&mut self.claiming) => {
                    self.claiming = None;
                    self.take(claimed, is_stopping, once);
                }
                () = self.due.notified(), if !is_stopping => {
                    self.is_woken = true;
                    self.next_claim = Instant::now();
                }
                // It may have been cut off while this slept.
                () = tokio::time::sleep_until(when), if may_claim => if !office.queue.was_cut_off() {
                    let (queue, batch) = (Arc::clone(&self.office.queue), self.office.batch);
                    self.is_woken = false;
                    self.claiming = Some(tokio::spawn(async move { queue.claim(batch).await }));
                }
            }
        }
        let unanswered = office.queue.late_answers();
        if unanswered > 0 {
            tracing::error!(
                unanswered,
                "stopping, though answers wait for what another transaction has locked: what was sent may be sent again"
            );
        }
        self.tell(true);
        Left {
            unsent: self.unsent + usize::from(once && self.trouble.0 >= TRIES),
            unrecorded: office.queue.unrecorded() + unanswered,
        }
    }

    fn waiting(&self) -> usize {
        self.lanes.values().map(Lane::waiting).sum()
    }

    fn is_busy(&self, way: WayId) -> bool {
        self.busy.get(&way).is_some_and(|busy| *busy >= self.office.connections)
    }

    fn frees(&mut self, way: WayId) {
        if let Some(busy) = self.busy.get_mut(&way) {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(&way);
            }
        }
    }

    /// Whether more is to be claimed: not while enough waits. Where it is for a way that is busy, others may be idle.
    fn has_room(&self) -> bool {
        let batch = usize::try_from(self.office.batch).unwrap_or(usize::MAX).max(2);
        let (mut held, mut ready) = (0, 0);
        for (organization, lane) in &self.lanes {
            if self.is_busy(self.office.mail.id_of(*organization)) {
                held += lane.waiting();
            } else {
                ready += lane.waiting();
            }
        }
        let saturated = self.busy.values().filter(|busy| **busy >= self.office.connections).count();
        let others = self.office.mail.ways() > saturated;
        ready * 2 < batch && (held * 2 < batch || others && held < batch.saturating_mul(HELD))
    }

    /// What waits is kept in time, however slow sending is: whoever's lease ends pays an attempt.
    fn keep(&mut self) {
        self.next_keep = Instant::now() + self.office.lease / 4;
        let before = Utc::now() + self.office.lease / 2;
        let mut of: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for message in self.lanes.values().flat_map(|lane| lane.held_until(before)) {
            of.entry(message.claim_id).or_default().extend(&message.reminder_ids);
        }
        for (claim, reminders) in of {
            let queue = Arc::clone(&self.office.queue);
            self.keeping.spawn(async move { (claim, queue.keep(claim, &reminders).await) });
        }
    }

    fn kept(&mut self, kept: Result<Kept, JoinError>) {
        match kept {
            Ok((claim, Ok((until, lost)))) => {
                let (mut settled, mut given_back) = (Vec::new(), Vec::new());
                for (organization, lane) in &mut self.lanes {
                    given_back.extend(lane.kept(claim, until, &lost));
                    let mut todo = Todo::default();
                    lane.settle(&mut self.suspects, &mut todo);
                    settled.push((*organization, todo));
                }
                self.forget_empty();
                self.office.queue.give_back_lost(given_back);
                for (organization, todo) in settled {
                    self.act(organization, todo);
                }
            }
            Ok((claim, Err(trouble))) => {
                tracing::warn!(%claim, "leases were not prolonged, which is tried again: {trouble}");
            }
            Err(error) => tracing::error!("{error}"),
        }
    }

    fn forget_empty(&mut self) {
        self.lanes.retain(|_, lane| !lane.is_done());
        self.turns.retain(|turn| self.lanes.contains_key(turn));
    }

    /// As many as each way takes at once, the organizations in turn.
    fn put_on_the_wire(&mut self) {
        let mut passed = 0;
        while passed < self.turns.len() {
            let Some(organization) = self.turns.pop_front() else { break };
            self.turns.push_back(organization);
            let way = self.office.mail.id_of(organization);
            let next = if self.is_busy(way) { None } else { self.lanes.get_mut(&organization).and_then(Lane::next) };
            let Some((message, nth)) = next else {
                passed += 1;
                continue;
            };
            passed = 0;
            *self.busy.entry(way).or_default() += 1;
            let office = Arc::clone(&self.office);
            self.wire.spawn(async move {
                // A task of its own, so that nothing in a message takes more with it.
                let outcome = tokio::spawn(async move { send(&office, message).await }).await;
                let outcome = outcome.unwrap_or_else(|error| {
                    tracing::error!("a message was not finished, and comes back when its lease ends: {error}");
                    Outcome::Settled
                });
                (organization, way, nth, outcome)
            });
        }
    }

    /// What a claim returned.
    fn take(&mut self, claimed: Result<Vec<Claimed>, Trouble>, is_stopping: bool, once: bool) {
        let now = Instant::now();
        let claimed = match claimed {
            Ok(claimed) => {
                self.trouble = (0, Duration::ZERO);
                claimed
            }
            Err(trouble) => {
                meters::claimed(meters::Claim::Trouble);
                self.trouble = (self.trouble.0 + 1, longer(self.trouble.1));
                self.next_claim = now + self.trouble.1;
                if let (Trouble::Refused { .. }, 1) = (&trouble, self.trouble.0) {
                    tracing::error!("nothing can be claimed, which is tried again: {trouble}");
                }
                return;
            }
        };
        if claimed.is_empty() {
            meters::claimed(meters::Claim::Nothing);
            self.empty += 1;
            // What a notification told of meanwhile, it may not have seen.
            self.next_claim = if once || self.is_woken { now } else { now + self.office.poll };
            self.tell(true);
            let office = Arc::clone(&self.office);
            self.answers.spawn(async move { office.mail.close(false).await });
            return;
        }
        self.empty = 0;
        self.next_claim = now;
        self.tell(false);
        meters::claimed(meters::Claim::Messages(claimed.len()));
        let mut unneeded = Vec::new();
        for claimed in claimed {
            match claimed {
                Claimed::Readable(message) if is_stopping => unneeded.push(*message),
                Claimed::Readable(message) => {
                    let organization = message.organization_id;
                    if !self.turns.contains(&organization) {
                        self.turns.push_back(organization);
                    }
                    self.lanes.entry(organization).or_default().add(*message);
                }
                Claimed::Unreadable { claim_id, reminder_ids, why } => {
                    self.unsent += 1;
                    // What it holds may stand in the reason, which the database is told.
                    tracing::error!(%claim_id, "a message cannot be read");
                    tracing::debug!(%claim_id, "{why}");
                    meters::failed(None);
                    let queue = Arc::clone(&self.office.queue);
                    let why = format!("the message cannot be read: {why}");
                    // Whose it is cannot be read, either.
                    let held = Held {
                        organization_id: claim_id,
                        claim_id,
                        claimed_until: Utc::now() + self.office.lease,
                        reminder_ids,
                    };
                    let failed = Answer::Failed { fault: None, why, permanent: Some(true) };
                    self.answers.spawn(async move { queue.answer(held, failed).await });
                }
            }
        }
        self.give_back(unneeded);
    }

    /// What became of a message.
    fn note(&mut self, organization: Uuid, nth: usize, outcome: Outcome) {
        self.sent += usize::from(matches!(outcome, Outcome::Taken));
        let Some(lane) = self.lanes.get_mut(&organization) else { return };
        if self.suspects.len() >= SUSPECTS {
            self.suspects.clear();
        }
        let todo = lane.note(nth, outcome, &mut self.suspects);
        if lane.is_done() {
            self.lanes.remove(&organization);
            self.turns.retain(|turn| *turn != organization);
        }
        self.act(organization, todo);
    }

    fn act(&mut self, organization: Uuid, Todo { own, stop, give_back }: Todo) {
        for (failed, own) in own {
            self.answer(organization, failed, own);
        }
        match stop {
            Some((failed, fault)) => self.stop(organization, failed, fault, give_back),
            None => self.give_back(give_back),
        }
    }

    fn answer(&mut self, organization: Uuid, failed: Failed, Own { fault, permanent }: Own) {
        self.unsent += 1;
        let Failed { message, why, told } = failed;
        tracing::info!(
            %organization, recipient = %message.recipient_id, fault = fault.map(Fault::name), permanent, "not taken: {told}"
        );
        meters::failed(fault);
        let queue = Arc::clone(&self.office.queue);
        self.answers.spawn(async move { queue.answer(message.into(), Answer::Failed { fault, why, permanent }).await });
    }

    /// Nothing of an organization can be sent: the database pauses it, and what was not tried goes back.
    fn stop(&mut self, organization: Uuid, failed: Failed, fault: Fault, rest: Vec<Message>) {
        self.unsent += 1 + rest.len();
        self.resting = Instant::now() + REST;
        let Failed { message, why, told } = failed;
        tracing::warn!(
            %organization, fault = fault.name(), given_back = rest.len(),
            "nothing can be sent for this organization, whose sending is paused: {told}"
        );
        meters::failed(Some(fault));
        meters::returned(rest.len());
        let queue = Arc::clone(&self.office.queue);
        self.answers.spawn(async move {
            // The pause first, or others would claim what is given back.
            queue.answer(message.into(), Answer::Failed { fault: Some(fault), why, permanent: None }).await;
            queue.give_back(rest.into_iter().map(Held::from).collect()).await;
        });
    }

    fn give_back(&mut self, messages: Vec<Message>) {
        if messages.is_empty() {
            return;
        }
        self.unsent += messages.len();
        meters::returned(messages.len());
        let queue = Arc::clone(&self.office.queue);
        self.answers.spawn(async move { queue.give_back(messages.into_iter().map(Held::from).collect()).await });
    }

    fn abandon(&mut self) {
        let rest: Vec<Message> = self.lanes.values_mut().flat_map(Lane::abandon).collect();
        tracing::info!(on_the_wire = self.wire.len(), given_back = rest.len(), "stopping");
        self.give_back(rest);
    }

    /// How many were sent since this was told last: now and then, and when nothing is left.
    fn tell(&mut self, now: bool) {
        let (since, sent, unsent) = self.told;
        if (self.sent, self.unsent) == (sent, unsent) || !now && since.elapsed() < TELL {
            return;
        }
        tracing::info!(sent = self.sent - sent, not_sent = self.unsent - unsent, "since this was told last");
        self.told = (Instant::now(), self.sent, self.unsent);
    }
}

/// What a claim returns, once there is one.
async fn under_way(claiming: &mut Option<Claim>) -> Result<Vec<Claimed>, Trouble> {
    match claiming {
        Some(claim) => claim.await.unwrap_or_else(|error| Err(Trouble::Passing(error.to_string()))),
        None => std::future::pending().await,
    }
}
