//! Delivery: whether a reminder that is about to be handed to a worker should still be sent, and if not, why.

use chrono::{DateTime, NaiveDate, Utc};

use super::due::is_same_due_date;
use super::kind::{Addressee, Follows, Kind};
use super::recipient::{Recipient, unreachable_reason};

/// The assignment that a reminder is about, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    pub status: &'a str,
    /// The last contact, but not before the day of assignment.
    pub silent_since: NaiveDate,
    pub due_at: Option<DateTime<Utc>>,
    /// Whether silence is followed up.
    pub is_followed_up: bool,
    /// Whether its clock stands still today.
    pub is_paused: bool,
    /// Whether it has another mentor than when the reminder was enqueued.
    pub has_another_mentor: bool,
}

/// The day that a summary is about, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    pub is_wanted: bool,
    pub is_today: bool,
    pub has_something_to_say: bool,
}

/// Everything that decides whether a reminder is sent, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub kind: Kind,
    /// What it was enqueued for. Without one it was inserted by hand and is independent of any.
    pub anchor: Option<DateTime<Utc>>,
    pub scheduled_for: DateTime<Utc>,
    /// When the last of the other reminders that are due for the same due date was, of those not skipped.
    pub latest_scheduled_for: Option<DateTime<Utc>>,
    /// `None`: there is none any more.
    pub assignment: Option<Assignment<'a>>,
    /// What summaries are about.
    pub day: Day,
    /// Whoever it goes to now. `None`: there is no such person.
    pub recipient: Option<Recipient>,
    /// Whether that person is an admin of the organization.
    pub is_admin: bool,
    /// Whether the organization's settings, as they are now, call for it: its offset is still one of theirs, its silence is long enough.
    pub is_called_for: bool,
    pub now: DateTime<Utc>,
}

/// Why a reminder is not sent. The names are those of `reminders.skip_reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    AssignmentGone,
    Completed,
    NotOpen,
    Contacted,
    ContactChanged,
    NotFollowedUp,
    NotDue,
    Paused,
    NewMentor,
    DueMoved,
    PastDue,
    Superseded,
    NotWanted,
    DayOver,
    NothingToSay,
    NoMentor,
    NoCoordinator,
    RecipientGone,
    NotAdmin,
    Over,
    OptedOut,
    Muted,
    NoAddress,
}

impl SkipReason {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssignmentGone => "assignment_gone",
            Self::Completed => "completed",
            Self::NotOpen => "not_open",
            Self::Contacted => "contacted",
            Self::ContactChanged => "contact_changed",
            Self::NotFollowedUp => "not_followed_up",
            Self::NotDue => "not_due",
            Self::Paused => "paused",
            Self::NewMentor => "new_mentor",
            Self::DueMoved => "due_moved",
            Self::PastDue => "past_due",
            Self::Superseded => "superseded",
            Self::NotWanted => "not_wanted",
            Self::DayOver => "day_over",
            Self::NothingToSay => "nothing_to_say",
            Self::NoMentor => "no_mentor",
            Self::NoCoordinator => "no_coordinator",
            Self::RecipientGone => "recipient_gone",
            Self::NotAdmin => "not_admin",
            Self::Over => "over",
            Self::OptedOut => "opted_out",
            Self::Muted => "muted",
            Self::NoAddress => "no_address",
        }
    }
}

/// Why the reminder should no longer be sent; `None`: send it. What it is about comes first, whom it goes to second.
#[must_use]
pub fn skip_reason(facts: &Facts) -> Option<SkipReason> {
    let about = match (facts.kind.follows, facts.assignment) {
        (Follows::Day, _) => about_day(facts.day),
        (Follows::Occurrence, _) => (facts.recipient.is_some() && !facts.is_admin).then_some(SkipReason::NotAdmin),
        (_, None) => Some(SkipReason::AssignmentGone),
        (_, Some(assignment)) => about_assignment(facts, assignment),
    };
    about.or_else(|| unreachable_reason(facts.kind.addresses, facts.recipient))
}

fn about_assignment(facts: &Facts, assignment: Assignment) -> Option<SkipReason> {
    match assignment.status {
        "open" => {}
        "completed" => return Some(SkipReason::Completed),
        _ => return Some(SkipReason::NotOpen),
    }
    let anchor = facts.anchor?;
    if facts.kind.follows == Follows::DueDate {
        return match assignment.due_at {
            Some(due_at) if !is_same_due_date(due_at, anchor) => Some(SkipReason::DueMoved),
            None => Some(SkipReason::DueMoved),
            Some(_) if !facts.is_called_for => Some(SkipReason::NotDue),
            Some(due_at) if due_at <= facts.now => Some(SkipReason::PastDue),
            Some(_) => is_superseded(facts).then_some(SkipReason::Superseded),
        };
    }
    // A follow-up's anchor is midnight UTC of the day that its silence began.
    match assignment.silent_since.cmp(&anchor.date_naive()) {
        std::cmp::Ordering::Greater => Some(SkipReason::Contacted),
        std::cmp::Ordering::Less => Some(SkipReason::ContactChanged),
        std::cmp::Ordering::Equal if !assignment.is_followed_up => Some(SkipReason::NotFollowedUp),
        std::cmp::Ordering::Equal if assignment.is_paused => Some(SkipReason::Paused),
        // A reminder goes to whoever is mentor now. What others are told of the one before, the new one is to be reminded of first.
        std::cmp::Ordering::Equal if assignment.has_another_mentor && facts.kind.addresses != Addressee::Mentor => {
            Some(SkipReason::NewMentor)
        }
        std::cmp::Ordering::Equal if !facts.is_called_for => Some(SkipReason::NotDue),
        std::cmp::Ordering::Equal => None,
    }
}

/// Whether a reminder closer to the same due date is due as well: after an outage the student gets that one only.
fn is_superseded(facts: &Facts) -> bool {
    facts.latest_scheduled_for.is_some_and(|latest| latest > facts.scheduled_for)
}

fn about_day(day: Day) -> Option<SkipReason> {
    match day {
        Day { is_wanted: false, .. } => Some(SkipReason::NotWanted),
        Day { is_today: false, .. } => Some(SkipReason::DayOver),
        Day { has_something_to_say: false, .. } => Some(SkipReason::NothingToSay),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::kind::{DUE, ESCALATE, KINDS, REMIND, SUMMARY};
    use super::*;

    const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_795_341_600, 0) {
        Some(now) => now,
        None => unreachable!(),
    };
    const DAY: Day = Day { is_wanted: true, is_today: true, has_something_to_say: true };

    fn silence_began() -> DateTime<Utc> {
        (NOW - TimeDelta::days(20)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
    }

    fn assignment() -> Assignment<'static> {
        Assignment {
            status: "open",
            silent_since: silence_began().date_naive(),
            due_at: Some(NOW + TimeDelta::hours(2)),
            is_followed_up: true,
            is_paused: false,
            has_another_mentor: false,
        }
    }

    /// A reminder that stands as it was enqueued.
    fn facts(kind: Kind) -> Facts<'static> {
        let assignment = assignment();
        Facts {
            kind,
            anchor: if kind == DUE { assignment.due_at } else { Some(silence_began()) },
            scheduled_for: NOW,
            latest_scheduled_for: None,
            assignment: Some(assignment),
            day: DAY,
            recipient: Some(Recipient { is_opted_out: false, has_address: true, is_muted: false }),
            is_admin: true,
            is_called_for: true,
            now: NOW,
        }
    }

    fn judged(kind: Kind, assignment: Assignment) -> Option<SkipReason> {
        skip_reason(&Facts { assignment: Some(assignment), ..facts(kind) })
    }

    #[test]
    fn what_stands_as_it_was_enqueued_is_sent() {
        for kind in KINDS {
            assert_eq!(skip_reason(&facts(*kind)), None, "{kind:?}");
        }
        assert_eq!(skip_reason(&Facts { anchor: None, assignment: None, ..facts(SUMMARY) }), None);
    }

    #[test]
    fn an_assignment_that_is_not_open_is_not_reminded_of() {
        for kind in [REMIND, ESCALATE, DUE] {
            for (status, reason) in [
                ("completed", SkipReason::Completed),
                ("paused", SkipReason::NotOpen),
                ("cancelled", SkipReason::NotOpen),
            ] {
                assert_eq!(judged(kind, Assignment { status, ..assignment() }), Some(reason));
            }
            let gone = Facts { assignment: None, ..facts(kind) };
            assert_eq!(skip_reason(&gone), Some(SkipReason::AssignmentGone));
        }
    }

    #[test]
    fn a_silence_that_ended_or_began_earlier_is_not_reminded_of() {
        for kind in [REMIND, ESCALATE] {
            let at = |days| Assignment {
                silent_since: silence_began().date_naive() + TimeDelta::days(days),
                ..assignment()
            };
            assert_eq!(judged(kind, at(1)), Some(SkipReason::Contacted));
            assert_eq!(judged(kind, at(-1)), Some(SkipReason::ContactChanged));
            assert_eq!(judged(kind, Assignment { due_at: None, ..at(0) }), None, "due dates do not matter");
        }
    }

    #[test]
    fn a_paused_silence_is_not_followed_up_and_due_dates_are() {
        let paused = Assignment { is_paused: true, ..assignment() };
        let reasons = [REMIND, ESCALATE, DUE].map(|kind| judged(kind, paused));
        assert_eq!(reasons, [Some(SkipReason::Paused), Some(SkipReason::Paused), None]);
    }

    #[test]
    fn what_is_not_followed_up_any_more_is_not_and_due_dates_are() {
        let due_dates_only = Assignment { is_followed_up: false, ..assignment() };
        let reasons = [REMIND, ESCALATE, DUE].map(|kind| judged(kind, due_dates_only));
        assert_eq!(reasons, [Some(SkipReason::NotFollowedUp), Some(SkipReason::NotFollowedUp), None]);
    }

    #[test]
    fn a_new_mentor_is_reminded_and_the_coordinator_is_not_told_of_the_one_before() {
        let handed_over = Assignment { has_another_mentor: true, ..assignment() };
        let reasons = [REMIND, ESCALATE, DUE].map(|kind| judged(kind, handed_over));
        assert_eq!(reasons, [None, Some(SkipReason::NewMentor), None]);
    }

    #[test]
    fn a_due_date_that_moved_or_passed_is_not_reminded_of() {
        let due_at = |due_at| judged(DUE, Assignment { due_at, ..assignment() });
        assert_eq!(due_at(Some(NOW + TimeDelta::hours(3))), Some(SkipReason::DueMoved));
        assert_eq!(due_at(None), Some(SkipReason::DueMoved));
        for (seconds, reason) in [(1, None), (0, Some(SkipReason::PastDue)), (-1, Some(SkipReason::PastDue))] {
            let due_at = Some(NOW + TimeDelta::seconds(seconds));
            let assignment = Some(Assignment { due_at, ..assignment() });
            assert_eq!(skip_reason(&Facts { anchor: due_at, assignment, ..facts(DUE) }), reason);
        }
    }

    #[test]
    fn only_the_one_closest_to_the_due_date_is_sent_of_those_that_are_due_together() {
        let beside = |minutes| {
            let latest_scheduled_for = Some(NOW + TimeDelta::minutes(minutes));
            skip_reason(&Facts { latest_scheduled_for, ..facts(DUE) })
        };
        assert_eq!(beside(1), Some(SkipReason::Superseded));
        assert_eq!(beside(0), None, "two of the same moment do not skip each other");
        assert_eq!(beside(-1), None);
        let latest_scheduled_for = Some(NOW + TimeDelta::minutes(1));
        assert_eq!(
            skip_reason(&Facts { latest_scheduled_for, ..facts(REMIND) }),
            None,
            "follow-ups are not superseded"
        );
    }

    #[test]
    fn a_summary_that_is_unwanted_stale_or_empty_is_not_sent() {
        let day = |day| skip_reason(&Facts { anchor: None, assignment: None, day, ..facts(SUMMARY) });
        assert_eq!(day(Day { is_wanted: false, ..DAY }), Some(SkipReason::NotWanted));
        assert_eq!(day(Day { is_today: false, ..DAY }), Some(SkipReason::DayOver));
        assert_eq!(day(Day { has_something_to_say: false, ..DAY }), Some(SkipReason::NothingToSay));
    }

    #[test]
    fn what_the_settings_no_longer_call_for_is_not_sent() {
        for kind in [REMIND, ESCALATE, DUE] {
            assert_eq!(skip_reason(&Facts { is_called_for: false, ..facts(kind) }), Some(SkipReason::NotDue));
        }
        assert_eq!(skip_reason(&Facts { is_called_for: false, anchor: None, ..facts(DUE) }), None, "inserted by hand");
        let moved = Some(Assignment { due_at: Some(NOW + TimeDelta::hours(3)), ..assignment() });
        let both = Facts { is_called_for: false, assignment: moved, ..facts(DUE) };
        assert_eq!(skip_reason(&both), Some(SkipReason::DueMoved));
    }

    #[test]
    fn a_due_date_that_moved_by_seconds_did_not_move() {
        let moved = |seconds| {
            let due_at = assignment().due_at.map(|due_at| due_at + TimeDelta::seconds(seconds));
            skip_reason(&Facts { assignment: Some(Assignment { due_at, ..assignment() }), ..facts(DUE) })
        };
        assert_eq!(moved(59), None);
        assert_eq!(moved(60), Some(SkipReason::DueMoved));
    }

    #[test]
    fn whoever_cannot_be_written_to_is_not() {
        for kind in KINDS {
            assert_eq!(skip_reason(&Facts { recipient: None, ..facts(*kind) }), Some(kind.addresses.missing()));
            for (is_opted_out, is_muted, reason) in [
                (true, false, SkipReason::OptedOut),
                (false, true, SkipReason::Muted),
                (true, true, SkipReason::OptedOut),
            ] {
                let recipient = Some(Recipient { is_opted_out, has_address: true, is_muted });
                assert_eq!(skip_reason(&Facts { recipient, ..facts(*kind) }), Some(reason));
            }
        }
    }

    #[test]
    fn what_was_inserted_by_hand_without_an_anchor_stands_for_itself() {
        let overtaken = Assignment { due_at: None, silent_since: NOW.date_naive(), ..assignment() };
        let latest_scheduled_for = Some(NOW + TimeDelta::minutes(1));
        let by_hand = Facts { anchor: None, latest_scheduled_for, assignment: Some(overtaken), ..facts(DUE) };
        assert_eq!(skip_reason(&by_hand), None);
        let completed = Some(Assignment { status: "completed", ..assignment() });
        assert_eq!(
            skip_reason(&Facts { assignment: completed, ..by_hand }),
            Some(SkipReason::Completed),
            "but nobody is reminded of what is done"
        );
    }
}
