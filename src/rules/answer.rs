//! Answers: whose fault it is that a message could not be handed over, how long that stops whom, and which errors are one row's own.

use chrono::{DateTime, TimeDelta, Utc};

use super::bounce::{self, Verdict};

/// Whose fault it is that a message could not be handed over, as the worker tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The address, or its mailbox: what was said of it is judged as a bounce.
    Recipient,
    /// The account, the domain or the server that sends: all that an organization sends would be refused.
    Sender,
    /// The way there: a connection, a time-out, the provider's own trouble.
    Transport,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Recipient, Self::Sender, Self::Transport];

    /// The name that SQL takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Sender => "sender",
            Self::Transport => "transport",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// How long it stops an organization's sending, the first time. `None`: not at all, and the reminder loses an attempt.
    #[must_use]
    pub const fn stops_for(self) -> Option<TimeDelta> {
        match self {
            Self::Recipient => None,
            Self::Sender => Some(TimeDelta::minutes(15)),
            Self::Transport => Some(TimeDelta::minutes(1)),
        }
    }

    /// What it says of the address.
    #[must_use]
    pub fn verdict(self, is_permanent: Option<bool>, report: &str) -> Option<Verdict> {
        match self {
            Self::Recipient => bounce::judge_refusal(is_permanent, report),
            Self::Sender => Some(Verdict::Sender),
            Self::Transport => None,
        }
    }
}

/// No pause is longer.
pub const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// When an organization's sending is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Pause {
    fn is_in_force(self, now: DateTime<Utc>) -> bool {
        now < self.until && self.is_plausible(now)
    }

    /// One that ends later was begun by a clock that was ahead, and stops nobody.
    fn is_plausible(self, now: DateTime<Utc>) -> bool {
        self.until - now <= LONGEST_PAUSE
    }
}

/// The pause that follows this fault at `now`; `last` is the one before it, over or not. What fails again as soon as it goes on is
/// paused for twice as long, up to [`LONGEST_PAUSE`]. What fails while it is paused was claimed before, and lengthens it to what the fault
/// is worth by itself. `None`: the fault stops nobody.
#[must_use]
pub fn pause(fault: Fault, last: Option<Pause>, now: DateTime<Utc>) -> Option<Pause> {
    let length = fault.stops_for()?;
    let fresh = |length: TimeDelta| Pause { from: now, until: now + length };
    Some(match last.filter(|last| last.is_plausible(now)) {
        Some(last) if last.is_in_force(now) => Pause { until: last.until.max(now + length), ..last },
        Some(last) if now - last.until <= last.until - last.from => {
            fresh(((last.until - last.from) * 2).max(length).min(LONGEST_PAUSE))
        }
        _ => fresh(length),
    })
}

/// Whether an error says something of the rows that are written, so that others may be written without them: a constraint, a trigger,
/// a value out of range. Not: that something was cancelled, shut down, locked, missing or used up, or may not be done at all.
#[must_use]
pub fn is_of_the_data(sqlstate: &str) -> bool {
    // Which a trigger may have raised under a code of its own: pgrx knows none but Postgres's.
    if sqlstate == "XX000" {
        return true;
    }
    // Lock not available, object in use.
    if matches!(sqlstate, "55P03" | "55006") {
        return false;
    }
    let class = sqlstate.get(..2).unwrap_or_default();
    // Connection, transaction state, authorization, rollback, rights and names, resources, limits, operator, system, configuration, internal.
    !matches!(class, "08" | "25" | "28" | "2D" | "40" | "42" | "53" | "54" | "57" | "58" | "F0" | "XX" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn paused(from: i64, until: i64) -> Pause {
        Pause { from: at(from), until: at(until) }
    }

    #[test]
    fn a_fault_has_one_name() {
        for fault in Fault::ALL {
            assert_eq!(Fault::named(fault.name()), Some(fault));
        }
        assert_eq!(Fault::named("Recipient"), None);
        assert_eq!(Fault::named(""), None);
    }

    #[test]
    fn a_sender_is_stopped_for_a_quarter_of_an_hour_a_transport_for_a_minute_and_a_recipient_stops_nobody() {
        assert_eq!(pause(Fault::Sender, None, at(0)), Some(paused(0, 15)));
        assert_eq!(pause(Fault::Transport, None, at(0)), Some(paused(0, 1)));
        assert_eq!(pause(Fault::Recipient, Some(paused(0, 15)), at(1)), None);
    }

    #[test]
    fn what_was_claimed_before_a_pause_does_not_multiply_it() {
        assert_eq!(pause(Fault::Transport, Some(paused(0, 15)), at(3)), Some(paused(0, 15)));
        assert_eq!(pause(Fault::Sender, Some(paused(0, 1)), at(0)), Some(paused(0, 15)));
        assert_eq!(pause(Fault::Sender, Some(paused(0, 15)), at(5)), Some(paused(0, 20)));
    }

    #[test]
    fn what_fails_again_at_once_waits_twice_as_long_up_to_an_hour() {
        let mut last = pause(Fault::Sender, None, at(0));
        let mut lengths = Vec::new();
        for _ in 0..4 {
            let Some(Pause { from, until }) = last else { panic!("a sender's fault pauses") };
            lengths.push((until - from).num_minutes());
            last = pause(Fault::Sender, last, until);
        }
        assert_eq!(lengths, [15, 30, 60, 60]);
        assert_eq!(
            pause(Fault::Sender, Some(paused(0, 30)), at(61)),
            Some(paused(61, 76)),
            "one after a good while begins anew"
        );
        assert_eq!(
            pause(Fault::Sender, Some(paused(0, 1)), at(1)),
            Some(paused(1, 16)),
            "never less than the fault is worth"
        );
    }

    #[test]
    fn a_pause_by_a_clock_that_was_ahead_stops_nobody() {
        assert_eq!(pause(Fault::Transport, Some(paused(1000, 1015)), at(0)), Some(paused(0, 1)));
    }

    #[test]
    fn only_the_recipients_fault_is_judged_by_its_text() {
        assert_eq!(Fault::Recipient.verdict(None, "550 5.1.1 User unknown"), Some(Verdict::Hard));
        assert_eq!(Fault::Recipient.verdict(None, "550 5.7.1 blocked"), Some(Verdict::Sender));
        assert_eq!(Fault::Sender.verdict(None, "550 5.1.1 User unknown"), Some(Verdict::Sender));
        assert_eq!(Fault::Transport.verdict(Some(true), "550 5.1.1 User unknown"), None);
    }

    #[test]
    fn constraints_and_triggers_are_of_the_data_and_cancels_locks_and_lacks_are_not() {
        for sqlstate in ["23514", "22003", "P0001", "44000", "55000", "XX000", "AR001"] {
            assert!(is_of_the_data(sqlstate), "{sqlstate}");
        }
        for sqlstate in [
            "57014", "57P01", "53100", "53200", "40001", "40P01", "55P03", "25006", "42501", "42P01", "XX001", "54001",
            "",
        ] {
            assert!(!is_of_the_data(sqlstate), "{sqlstate}");
        }
    }
}
