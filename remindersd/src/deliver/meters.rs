//! What is counted and timed. All of it is there from the beginning, so that a rate of it can be told.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};

use super::verdict::Fault;

const SENT: &str = "remindersd_messages_sent_total";
const FAILED: &str = "remindersd_messages_failed_total";
const RETURNED: &str = "remindersd_messages_returned_total";
const CLAIMS: &str = "remindersd_claims_total";
const CLAIMED: &str = "remindersd_messages_claimed_total";
const SECONDS: &str = "remindersd_send_seconds";

/// What a claim returned.
#[derive(Clone, Copy)]
pub enum Claim {
    Messages(usize),
    Nothing,
    Trouble,
}

impl Claim {
    const fn name(self) -> &'static str {
        match self {
            Self::Messages(_) => "messages",
            Self::Nothing => "nothing",
            Self::Trouble => "trouble",
        }
    }
}

pub fn begin() {
    describe_counter!(SENT, "Messages that were taken");
    describe_counter!(FAILED, "Messages answered as failed, by whose fault it was");
    describe_counter!(RETURNED, "Messages given back untried or undecided, without an attempt");
    describe_counter!(CLAIMS, "Claims, by what they found");
    describe_counter!(CLAIMED, "Messages that claims handed out");
    describe_histogram!(SECONDS, Unit::Seconds, "How long it took until a message was taken or refused");
    describe_counter!("remindersd_outages_total", "How often something could no more be reached");
    describe_gauge!("remindersd_outage", "Whether something cannot be reached now");
    counter!(SENT).increment(0);
    counter!(RETURNED).increment(0);
    counter!(CLAIMED).increment(0);
    for fault in [None, Some(Fault::Recipient), Some(Fault::Sender), Some(Fault::Transport)] {
        counter!(FAILED, "fault" => named(fault)).increment(0);
    }
    for claim in [Claim::Messages(0), Claim::Nothing, Claim::Trouble] {
        counter!(CLAIMS, "found" => claim.name()).increment(0);
    }
}

pub fn claimed(claim: Claim) {
    counter!(CLAIMS, "found" => claim.name()).increment(1);
    if let Claim::Messages(messages) = claim {
        counter!(CLAIMED).increment(messages as u64);
    }
}

pub fn sent() {
    counter!(SENT).increment(1);
}

pub fn failed(fault: Option<Fault>) {
    counter!(FAILED, "fault" => named(fault)).increment(1);
}

pub fn returned(messages: usize) {
    counter!(RETURNED).increment(messages as u64);
}

pub fn took(way: &'static str, time: Duration) {
    histogram!(SECONDS, "way" => way).record(time.as_secs_f64());
}

fn named(fault: Option<Fault>) -> &'static str {
    fault.map_or("none", Fault::name)
}
