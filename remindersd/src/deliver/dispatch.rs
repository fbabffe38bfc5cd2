//! Who is sent to when: claims as messages go out, some at once, the organizations in turn; and what follows from what became of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use super::Office;
use super::lane::{Failed, Lane, Outcome, Todo};
use super::message::Message;
use super::meters;
use super::queue::{Claimed, Trouble, longer};
use super::send::send;
use super::verdict::Fault;

/// After an organization was stopped, so that what was given back is not claimed in a circle.
const REST: Duration = Duration::from_secs(1);
/// How often a claim is tried where we are to end once nothing is left.
const TRIES: u32 = 8;
/// How often it is told what was sent.
const TELL: Duration = Duration::from_mins(1);

type Claim = JoinHandle<Result<Vec<Claimed>, Trouble>>;

pub struct Dispatcher {
    office: Arc<Office>,
    due: Arc<Notify>,
    stopping: watch::Receiver<bool>,
    lanes: HashMap<Uuid, Lane>,
    /// The organizations that have something to send, whose turn it is first.
    turns: VecDeque<Uuid>,
    wire: JoinSet<(Uuid, Outcome)>,
    answers: JoinSet<()>,
    claiming: Option<Claim>,
    next_claim: Instant,
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
            answers: JoinSet::new(),
            claiming: None,
            next_claim: now,
            resting: now,
            trouble: (0, Duration::ZERO),
            empty: 0,
            sent: 0,
            unsent: 0,
            told: (now, 0, 0),
        }
    }

    /// Until we are told to stop, or, where it is to end then, nothing is left. Returns how many messages were not sent.
    pub async fn run(mut self, once: bool) -> usize {
        let mut is_stopping = false;
        loop {
            self.put_on_the_wire();
            let is_idle = self.wire.is_empty() && self.answers.is_empty() && self.claiming.is_none();
            let is_drained = once && (self.empty >= 2 || self.trouble.0 >= TRIES) && self.waiting() == 0;
            if is_idle && (is_stopping || is_drained) {
                break;
            }
            // Where all is to be seen before the end, what is under way comes first.
            let may_claim = !is_stopping
                && self.claiming.is_none()
                && self.answers.is_empty()
                && self.waiting() * 2 < usize::try_from(self.office.batch).unwrap_or(usize::MAX).max(2)
                && !(once && self.empty > 0 && !self.wire.is_empty());
            let when = self.next_claim.max(self.resting);
            tokio::select! {
                changed = self.stopping.changed(), if !is_stopping => {
                    is_stopping = changed.is_err() || *self.stopping.borrow();
                    if is_stopping {
                        self.abandon();
                    }
                }
                Some(done) = self.wire.join_next() => match done {
                    Ok((organization, outcome)) => self.note(organization, outcome),
                    Err(error) => tracing::error!("{error}"),
                },
                Some(_) = self.answers.join_next() => {}
                claimed = under_way(&mut self.claiming) => {
                    self.claiming = None;
                    self.take(claimed, is_stopping, once);
                }
                () = self.due.notified(), if !is_stopping => self.next_claim = Instant::now(),
                () = tokio::time::sleep_until(when), if may_claim => {
                    let (queue, batch) = (Arc::clone(&self.office.queue), self.office.batch);
                    self.claiming = Some(tokio::spawn(async move { queue.claim(batch).await }));
                }
            }
        }
        self.tell(true);
        self.unsent + usize::from(once && self.trouble.0 >= TRIES)
    }

    fn waiting(&self) -> usize {
        self.lanes.values().map(Lane::waiting).sum()
    }

    fn put_on_the_wire(&mut self) {
        let mut passed = 0;
        while self.wire.len() < self.office.connections && passed < self.turns.len() {
            let Some(organization) = self.turns.pop_front() else { break };
            self.turns.push_back(organization);
            let Some(message) = self.lanes.get_mut(&organization).and_then(Lane::next) else {
                passed += 1;
                continue;
            };
            passed = 0;
            let office = Arc::clone(&self.office);
            self.wire.spawn(async move {
                // A task of its own, so that nothing in a message takes more with it.
                let outcome = tokio::spawn(async move { send(&office, message).await }).await;
                let outcome = outcome.unwrap_or_else(|error| {
                    tracing::error!("a message was not finished, and comes back when its lease ends: {error}");
                    Outcome::Settled
                });
                (organization, outcome)
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
            self.next_claim = if once { now } else { now + self.office.poll };
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
                    self.answers.spawn(async move {
                        let why = format!("the message cannot be read: {why}");
                        queue.failed_unread(claim_id, &reminder_ids, &why).await;
                    });
                }
            }
        }
        self.give_back(unneeded);
    }

    /// What became of a message.
    fn note(&mut self, organization: Uuid, outcome: Outcome) {
        self.sent += usize::from(matches!(outcome, Outcome::Taken));
        let Some(lane) = self.lanes.get_mut(&organization) else { return };
        let Todo { own, stop, give_back } = lane.note(outcome);
        if lane.is_done() {
            self.lanes.remove(&organization);
            self.turns.retain(|turn| *turn != organization);
        }
        for (failed, fault, permanent) in own {
            self.answer(organization, failed, fault, permanent);
        }
        match stop {
            Some((failed, fault)) => self.stop(organization, failed, fault, give_back),
            None => self.give_back(give_back),
        }
    }

    fn answer(&mut self, organization: Uuid, failed: Failed, fault: Option<Fault>, permanent: Option<bool>) {
        self.unsent += 1;
        let Failed { message, why, told } = failed;
        tracing::info!(
            %organization, recipient = %message.recipient_id, fault = fault.map(Fault::name), permanent, "not taken: {told}"
        );
        meters::failed(fault);
        let queue = Arc::clone(&self.office.queue);
        self.answers.spawn(async move { queue.failed(&message, fault, &why, permanent).await });
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
            queue.failed(&message, Some(fault), &why, None).await;
            return_all(&queue, rest).await;
        });
    }

    fn give_back(&mut self, messages: Vec<Message>) {
        if messages.is_empty() {
            return;
        }
        self.unsent += messages.len();
        meters::returned(messages.len());
        let queue = Arc::clone(&self.office.queue);
        self.answers.spawn(async move { return_all(&queue, messages).await });
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

async fn return_all(queue: &super::queue::Queue, messages: Vec<Message>) {
    let mut of: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for message in messages {
        of.entry(message.claim_id).or_default().extend(message.reminder_ids);
    }
    for (claim, reminders) in of {
        queue.give_back(claim, &reminders).await;
    }
}

/// What a claim returns, once there is one.
async fn under_way(claiming: &mut Option<Claim>) -> Result<Vec<Claimed>, Trouble> {
    match claiming {
        Some(claim) => claim.await.unwrap_or_else(|error| Err(Trouble::Passing(error.to_string()))),
        None => std::future::pending().await,
    }
}
