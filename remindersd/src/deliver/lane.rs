//! The messages of one organization that were claimed, and what its others tell of a failure. Pure: it says what is to be done.

use std::collections::VecDeque;

use super::message::Message;
use super::verdict::{Fault, Verdict};

/// So many in a row that policy refuses, and nobody else's is taken: it is the sender.
const REFUSALS: usize = 20;
/// So many in a row whose connection broke. Of those that may have been taken, or not, no more are risked.
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
    pub own: Vec<(Failed, Option<Fault>, Option<bool>)>,
    /// Nothing more is sent for the organization: answer with this fault.
    pub stop: Option<(Failed, Fault)>,
    /// Give these back.
    pub give_back: Vec<Message>,
}

#[derive(Default)]
pub struct Lane {
    waiting: VecDeque<Message>,
    on_the_wire: usize,
    /// What is everybody's fault, or its own: others will tell.
    doubtful: Vec<(Failed, Fault)>,
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

    /// The next one to send.
    pub fn next(&mut self) -> Option<Message> {
        if self.is_stopped {
            return None;
        }
        let next = self.waiting.pop_front();
        self.on_the_wire += usize::from(next.is_some());
        next
    }

    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.on_the_wire == 0 && self.doubtful.is_empty()
    }

    /// Everything that is not on the wire: we are to stop.
    pub fn abandon(&mut self) -> Vec<Message> {
        self.is_stopped = true;
        self.doubtful.drain(..).map(|(failed, _)| failed.message).chain(self.waiting.drain(..)).collect()
    }

    pub fn note(&mut self, outcome: Outcome) -> Todo {
        self.on_the_wire = self.on_the_wire.saturating_sub(1);
        let mut todo = Todo::default();
        match outcome {
            Outcome::Settled => {}
            Outcome::Taken => {
                self.unsure = 0;
                // Others are taken, so it was these messages' own.
                todo.own.extend(self.doubtful.drain(..).map(|(failed, fault)| own(failed, fault)));
            }
            Outcome::Failed(failed, verdict) => self.judge(*failed, verdict, &mut todo),
        }
        if self.waiting.is_empty() && self.on_the_wire == 0 && !self.is_stopped {
            // Nothing else will tell.
            if let Some((failed, fault)) = self.doubtful.pop() {
                self.stop(failed, fault, &mut todo);
            }
        }
        todo
    }

    fn judge(&mut self, failed: Failed, verdict: Verdict, todo: &mut Todo) {
        match verdict {
            Verdict::Own { fault, permanent } => todo.own.push((failed, fault, permanent)),
            Verdict::MaybeTaken => {
                self.unsure += 1;
                let (why, told) = (failed.why.clone(), failed.told.clone());
                todo.own.push((failed, None, Some(false)));
                if self.unsure >= BREAKS
                    && let Some(message) = self.waiting.pop_front()
                {
                    // One that was not tried carries the news, and loses no attempt by it.
                    self.stop(Failed { message, why, told }, Fault::Transport, todo);
                }
            }
            Verdict::Everybodys(_) | Verdict::Doubtful(_) if self.is_stopped => todo.give_back.push(failed.message),
            Verdict::Everybodys(fault) => self.stop(failed, fault, todo),
            Verdict::Doubtful(fault) => {
                let enough = if fault == Fault::Transport { BREAKS } else { REFUSALS };
                if self.doubtful.iter().filter(|(_, of)| *of == fault).count() + 1 >= enough {
                    self.stop(failed, fault, todo);
                } else {
                    self.doubtful.push((failed, fault));
                }
            }
        }
    }

    fn stop(&mut self, failed: Failed, fault: Fault, todo: &mut Todo) {
        self.is_stopped = true;
        todo.give_back.extend(self.doubtful.drain(..).map(|(failed, _)| failed.message));
        todo.give_back.extend(self.waiting.drain(..));
        todo.stop = Some((failed, fault));
    }
}

/// What was said is of this message after all: a refusal is its recipient's, and what broke is nobody's.
fn own(failed: Failed, fault: Fault) -> (Failed, Option<Fault>, Option<bool>) {
    match fault {
        Fault::Transport => (failed, None, Some(false)),
        Fault::Sender | Fault::Recipient => (failed, Some(Fault::Recipient), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;
    use uuid::Uuid;

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

    fn next(lane: &mut Lane) -> Message {
        lane.next().expect("a message")
    }

    fn fail(lane: &mut Lane, message: Message, verdict: Verdict) -> Todo {
        lane.note(Outcome::Failed(Box::new(Failed { message, why: "no".to_string(), told: "no".to_string() }), verdict))
    }

    fn fail_next(lane: &mut Lane, verdict: Verdict) -> Todo {
        let message = next(lane);
        fail(lane, message, verdict)
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
    fn a_doubtful_refusal_is_the_recipients_where_another_message_is_taken() {
        let mut lane = lane(3);
        let todo = fail_next(&mut lane, Verdict::Doubtful(Fault::Sender));
        assert!(todo.own.is_empty() && todo.stop.is_none());
        next(&mut lane);
        let todo = lane.note(Outcome::Taken);
        assert_eq!(todo.own.len(), 1);
        assert_eq!((todo.own[0].1, todo.own[0].2), (Some(Fault::Recipient), None));
        assert!(todo.stop.is_none() && lane.next().is_some());
    }

    #[test]
    fn a_doubtful_refusal_is_the_senders_where_nobody_elses_is_taken() {
        let mut lane = lane(3);
        assert!(fail_next(&mut lane, Verdict::Doubtful(Fault::Sender)).stop.is_none());
        assert!(fail_next(&mut lane, Verdict::Doubtful(Fault::Sender)).stop.is_none());
        let todo = fail_next(&mut lane, Verdict::Doubtful(Fault::Sender));
        assert!(todo.own.is_empty());
        assert_eq!((todo.stop.is_some(), todo.give_back.len()), (true, 2));
        assert!(lane.is_done());
    }

    #[test]
    fn not_everybody_is_tried_before_the_sender_is_to_blame() {
        let mut refused = lane(100);
        let tried = (1..100).find(|_| fail_next(&mut refused, Verdict::Doubtful(Fault::Sender)).stop.is_some());
        assert_eq!(tried, Some(REFUSALS));
        let mut broken = lane(100);
        let tried = (1..100).find(|_| fail_next(&mut broken, Verdict::Doubtful(Fault::Transport)).stop.is_some());
        assert_eq!(tried, Some(BREAKS));
    }

    #[test]
    fn one_that_breaks_the_connection_pays_for_itself_where_the_next_is_taken() {
        let mut lane = lane(2);
        fail_next(&mut lane, Verdict::Doubtful(Fault::Transport));
        next(&mut lane);
        let todo = lane.note(Outcome::Taken);
        assert_eq!((todo.own[0].1, todo.own[0].2), (None, Some(false)));
        assert!(lane.is_done());
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
