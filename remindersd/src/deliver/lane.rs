//! The messages of one organization that were claimed, and what its others tell of a failure. Pure: it says what is to be done.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::message::{Held, Message};
use super::verdict::{ATTEMPT, Fault, Own, Verdict};

/// So many in a row whose connection broke when they may have been taken, or not: no more are risked.
const BREAKS: usize = 3;

/// A message that was not taken, and what was said.
#[derive(Debug)]
pub struct Failed {
    pub message: Message,
    pub why: String,
    /// What logs may hold of that: nobody's name or address.
    pub told: String,
}

/// What became of a message.
#[derive(Debug)]
pub enum Outcome {
    Taken,
    /// It was answered for, or is somebody else's by now.
    Settled,
    Failed(Box<Failed>, Verdict),
}

/// What is to be done now.
#[derive(Debug, Default)]
pub struct Todo {
    /// Answer that these failed, each by its own fault.
    pub own: Vec<(Failed, Own)>,
    /// Nothing more is sent for the organization: answer with this fault.
    pub stop: Option<(Failed, Fault)>,
    /// Give these back.
    pub give_back: Vec<Message>,
}

/// A message that was refused by what may be everybody's fault.
struct Doubt {
    failed: Failed,
    fault: Fault,
    enough: usize,
    own: Own,
    /// How many had been begun when it was known: those that come after tell.
    begun: usize,
}

/// Messages that stopped their organization, by their keys, where nothing else told whose fault it was. Another time they pay for themselves, or one that is
/// alone would wait for ever.
pub type Suspects = HashSet<String>;

#[derive(Default)]
pub struct Lane {
    waiting: VecDeque<Message>,
    /// How many were begun, of all that there ever were.
    begun: usize,
    on_the_wire: usize,
    doubts: Vec<Doubt>,
    /// Whether anything was taken.
    is_taken_from: bool,
    unsure: usize,
    is_stopped: bool,
}

impl Lane {
    pub fn add(&mut self, message: Message) {
        self.waiting.push_back(message);
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The next one to send, and which one it is.
    pub fn next(&mut self) -> Option<(Message, usize)> {
        if self.is_stopped {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.on_the_wire += 1;
        self.begun += 1;
        Some((next, self.begun))
    }

    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.on_the_wire == 0 && self.doubts.is_empty()
    }

    /// What must be kept longer, by claims: all but what is on the wire, which sees to that itself.
    pub fn held_until(&self, before: DateTime<Utc>) -> impl Iterator<Item = &Message> {
        let doubtful = self.doubts.iter().map(|doubt| &doubt.failed.message);
        self.waiting.iter().chain(doubtful).filter(move |message| message.claimed_until < before)
    }

    /// These reminders of a claim are kept until then, and those are not to be sent any more. Returns those that waited here, which are to be given back:
    /// what went on the wire meanwhile has asked for itself.
    pub fn kept(&mut self, claim: Uuid, until: DateTime<Utc>, lost: &[Uuid]) -> Vec<Held> {
        let doubtful = self.doubts.iter_mut().map(|doubt| &mut doubt.failed.message);
        let of_claim = self.waiting.iter_mut().chain(doubtful).filter(|message| message.claim_id == claim);
        let lost = of_claim.filter_map(|message| message.keep(until, lost)).collect();
        self.waiting.retain(|message| !message.reminder_ids.is_empty());
        self.doubts.retain(|doubt| !doubt.failed.message.reminder_ids.is_empty());
        lost
    }

    /// Everything that is not on the wire: we are to stop.
    pub fn abandon(&mut self) -> Vec<Message> {
        self.is_stopped = true;
        self.doubts.drain(..).map(|doubt| doubt.failed.message).chain(self.waiting.drain(..)).collect()
    }

    /// What became of the one that was begun as that.
    pub fn note(&mut self, nth: usize, outcome: Outcome, suspects: &mut Suspects) -> Todo {
        self.on_the_wire = self.on_the_wire.saturating_sub(1);
        let mut todo = Todo::default();
        match outcome {
            Outcome::Settled => {}
            Outcome::Taken => {
                self.unsure = 0;
                self.is_taken_from = true;
                // One that came later is taken, so it was these messages' own.
                todo.own.extend(
                    self.doubts.extract_if(.., |doubt| doubt.begun < nth).map(|doubt| (doubt.failed, doubt.own)),
                );
            }
            Outcome::Failed(failed, verdict) => self.judge(*failed, verdict, &mut todo),
        }
        self.settle(suspects, &mut todo);
        todo
    }

    /// Adds what is to be done where nothing is left that would tell of what is in doubt.
    pub fn settle(&mut self, suspects: &mut Suspects, todo: &mut Todo) {
        if self.waiting.is_empty() && self.on_the_wire == 0 && !self.is_stopped {
            self.end(suspects, todo);
        }
    }

    fn judge(&mut self, failed: Failed, verdict: Verdict, todo: &mut Todo) {
        match verdict {
            Verdict::Own(own) => todo.own.push((failed, own)),
            Verdict::MaybeTaken => {
                self.unsure += 1;
                let (why, told) = (failed.why.clone(), failed.told.clone());
                todo.own.push((failed, ATTEMPT));
                if self.unsure >= BREAKS
                    && let Some(message) = self.waiting.pop_front()
                {
                    // One that was not tried carries the news, and loses no attempt by it.
                    self.stop(Failed { message, why, told }, Fault::Transport, todo);
                }
            }
            Verdict::Everybodys(_) | Verdict::Doubtful { .. } if self.is_stopped => todo.give_back.push(failed.message),
            Verdict::Everybodys(fault) => self.stop(failed, fault, todo),
            Verdict::Doubtful { fault, enough, own } => {
                if self.doubts.iter().filter(|doubt| doubt.fault == fault && doubt.enough <= enough).count() + 1
                    >= enough
                {
                    self.stop(failed, fault, todo);
                } else {
                    self.doubts.push(Doubt { failed, fault, enough, own, begun: self.begun });
                }
            }
        }
    }

    /// Nothing else will tell of what is in doubt.
    fn end(&mut self, suspects: &mut Suspects, todo: &mut Todo) {
        let is_alone = self.doubts.len() == 1;
        let Some(last) = self.doubts.pop() else { return };
        if self.is_taken_from && self.doubts.len() + 1 < last.enough {
            // The others were taken just now. What is held for good may be so by the last that a quota lets through: it is tried again.
            let attempt = |own: Own| Own { permanent: own.permanent.map(|_| false), ..own };
            let doubts = self.doubts.drain(..).chain([last]);
            todo.own.extend(doubts.map(|doubt| (doubt.failed, attempt(doubt.own))));
        } else if is_alone && !suspects.insert(last.failed.message.idempotency_key.clone()) {
            suspects.remove(&last.failed.message.idempotency_key);
            todo.own.push((last.failed, last.own));
        } else {
            self.stop(last.failed, last.fault, todo);
        }
    }

    fn stop(&mut self, failed: Failed, fault: Fault, todo: &mut Todo) {
        self.is_stopped = true;
        todo.give_back.extend(self.doubts.drain(..).map(|doubt| doubt.failed.message));
        todo.give_back.extend(self.waiting.drain(..));
        todo.stop = Some((failed, fault));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(messages: usize) -> Lane {
        let mut lane = Lane::default();
        for number in 0..messages {
            lane.add(Message {
                claim_id: Uuid::nil(),
                claimed_until: Utc::now(),
                idempotency_key: number.to_string(),
                organization_id: Uuid::nil(),
                organization_name: None,
                recipient_id: Uuid::nil(),
                recipient_email: None,
                recipient_name: None,
                recipient_timezone: None,
                recipient_locale: None,
                unsubscribe_token: None,
                reminder_ids: Vec::new(),
                items: Vec::new(),
                summary: None,
            });
        }
        lane
    }

    const REFUSAL: Own = Own { fault: Some(Fault::Recipient), permanent: None };
    const UNCLEAR: Verdict = Verdict::perhaps(Fault::Sender, REFUSAL);
    const BROKEN: Verdict = Verdict::likely(Fault::Transport, ATTEMPT);

    fn next(lane: &mut Lane) -> (Message, usize) {
        lane.next().expect("a message")
    }

    fn fail(lane: &mut Lane, (message, nth): (Message, usize), verdict: Verdict) -> Todo {
        let failed = Failed { message, why: "no".to_string(), told: "no".to_string() };
        lane.note(nth, Outcome::Failed(Box::new(failed), verdict), &mut Suspects::new())
    }

    fn fail_next(lane: &mut Lane, verdict: Verdict) -> Todo {
        let next = next(lane);
        fail(lane, next, verdict)
    }

    fn take(lane: &mut Lane, (_, nth): (Message, usize)) -> Todo {
        lane.note(nth, Outcome::Taken, &mut Suspects::new())
    }

    fn take_next(lane: &mut Lane) -> Todo {
        let next = next(lane);
        take(lane, next)
    }

    #[test]
    fn everybodys_fault_stops_the_lane_and_is_answered_once() {
        let mut lane = lane(10);
        let (first, second) = (next(&mut lane), next(&mut lane));
        let todo = fail(&mut lane, first, Verdict::Everybodys(Fault::Sender));
        assert_eq!(
            todo.stop.map(|(failed, fault)| (failed.message.idempotency_key, fault)),
            Some(("0".to_string(), Fault::Sender))
        );
        assert_eq!(todo.give_back.len(), 8);
        assert!(lane.next().is_none());
        let todo = fail(&mut lane, second, Verdict::Everybodys(Fault::Sender));
        assert!(todo.stop.is_none() && todo.own.is_empty());
        assert_eq!(todo.give_back.len(), 1);
        assert!(lane.is_done());
    }

    #[test]
    fn a_doubtful_refusal_is_the_messages_own_where_one_that_was_begun_later_is_taken() {
        let mut lane = lane(4);
        let before = next(&mut lane);
        let todo = fail_next(&mut lane, UNCLEAR);
        assert!(todo.own.is_empty() && todo.stop.is_none());
        // It was under way already: a quota may have ended in between.
        assert!(take(&mut lane, before).own.is_empty());
        let todo = take_next(&mut lane);
        assert_eq!(todo.own.iter().map(|(_, own)| *own).collect::<Vec<_>>(), [REFUSAL]);
        assert!(todo.stop.is_none() && lane.next().is_some());
    }

    #[test]
    fn a_doubtful_refusal_is_the_senders_where_nobody_elses_is_taken() {
        let mut lane = lane(3);
        assert!(fail_next(&mut lane, UNCLEAR).stop.is_none());
        assert!(fail_next(&mut lane, UNCLEAR).stop.is_none());
        let todo = fail_next(&mut lane, UNCLEAR);
        assert!(todo.own.is_empty());
        assert_eq!((todo.stop.is_some(), todo.give_back.len()), (true, 2));
        assert!(lane.is_done());
    }

    #[test]
    fn the_last_one_after_others_that_were_taken_is_tried_again_and_stops_nobody() {
        let mut lane = lane(3);
        take_next(&mut lane);
        take_next(&mut lane);
        let todo = fail_next(&mut lane, Verdict::perhaps(Fault::Sender, Own { fault: None, permanent: Some(true) }));
        assert_eq!(todo.own.iter().map(|(_, own)| *own).collect::<Vec<_>>(), [ATTEMPT]);
        assert!(todo.stop.is_none() && lane.is_done());
    }

    #[test]
    fn one_that_is_alone_waits_once_and_then_pays_for_itself() {
        let mut suspects = Suspects::new();
        let alone = |suspects: &mut Suspects| {
            let mut lane = lane(1);
            let (message, nth) = next(&mut lane);
            let failed = Failed { message, why: "no".to_string(), told: "no".to_string() };
            lane.note(nth, Outcome::Failed(Box::new(failed), UNCLEAR), suspects)
        };
        let todo = alone(&mut suspects);
        assert!(todo.stop.is_some() && todo.own.is_empty());
        let todo = alone(&mut suspects);
        assert!(todo.stop.is_none());
        assert_eq!(todo.own[0].1, REFUSAL);
        assert!(suspects.is_empty());
    }

    #[test]
    fn not_everybody_is_tried_before_the_sender_is_to_blame() {
        for (verdict, enough) in [(UNCLEAR, 20), (BROKEN, 3)] {
            let mut refused = lane(100);
            let tried = (1..100).find(|_| fail_next(&mut refused, verdict).stop.is_some());
            assert_eq!(tried, Some(enough));
        }
    }

    #[test]
    fn one_that_breaks_the_connection_pays_for_itself_where_the_next_is_taken() {
        let mut lane = lane(2);
        fail_next(&mut lane, BROKEN);
        let todo = take_next(&mut lane);
        assert_eq!(todo.own[0].1, ATTEMPT);
        assert!(lane.is_done());
    }

    #[test]
    fn what_waits_is_kept_and_what_is_not_wanted_any_more_is_left_out() {
        let mut lane = lane(3);
        for (number, message) in lane.waiting.iter_mut().enumerate() {
            message.reminder_ids = vec![Uuid::from_u128(number as u128 + 1)];
        }
        fail_next(&mut lane, UNCLEAR);
        let until = Utc::now() + chrono::TimeDelta::minutes(5);
        assert_eq!(lane.held_until(until).count(), 3);
        let lost = lane.kept(Uuid::nil(), until, &[Uuid::from_u128(2)]);
        assert_eq!(lost.iter().map(|lost| lost.reminder_ids[0].as_u128()).collect::<Vec<_>>(), [2]);
        assert!(lost[0].claimed_until < until, "its lease ends when it did");
        assert_eq!((lane.held_until(until).count(), lane.waiting(), lane.doubts.len()), (0, 1, 1));
        let mut todo = Todo::default();
        lane.settle(&mut Suspects::new(), &mut todo);
        assert!(todo.stop.is_none());
        // Whoever waited is not to be told any more: nobody tells of the one in doubt.
        assert_eq!(lane.kept(Uuid::nil(), until, &[Uuid::from_u128(3)]).len(), 1);
        lane.settle(&mut Suspects::new(), &mut todo);
        assert!(todo.stop.is_some() && lane.is_done());
    }

    #[test]
    fn what_went_on_the_wire_is_not_given_back_by_what_was_asked_before() {
        let mut lane = lane(2);
        for (number, message) in lane.waiting.iter_mut().enumerate() {
            message.reminder_ids = vec![Uuid::from_u128(number as u128 + 1)];
        }
        let (message, _) = next(&mut lane);
        let lost = lane.kept(Uuid::nil(), Utc::now(), &[Uuid::from_u128(1), Uuid::from_u128(2)]);
        assert_eq!(message.reminder_ids, [Uuid::from_u128(1)]);
        assert_eq!((lost.len(), &lost[0].reminder_ids[..], lane.waiting()), (1, &[Uuid::from_u128(2)][..], 0));
    }

    #[test]
    fn of_a_server_that_hangs_up_on_each_message_three_pay() {
        let mut lane = lane(26);
        for _ in 0..2 {
            let todo = fail_next(&mut lane, Verdict::MaybeTaken);
            assert_eq!((todo.own.len(), todo.stop.is_some()), (1, false));
        }
        let todo = fail_next(&mut lane, Verdict::MaybeTaken);
        assert_eq!((todo.own.len(), todo.give_back.len()), (1, 22));
        let (bearer, fault) = todo.stop.expect("it stops");
        assert_eq!((bearer.message.idempotency_key.as_str(), fault), ("3", Fault::Transport));
    }
}
