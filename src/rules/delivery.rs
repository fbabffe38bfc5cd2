//! Delivery: whether a reminder that is about to be handed to a worker should still be sent, and if not, why.

use chrono::{DateTime, NaiveDate, Utc};

/// What a reminder is about, by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To the peer mentor, about silence.
    Reminder,
    /// To the coordinator, about silence that went on.
    Escalation,
    /// To a person, about their day.
    Summary,
    /// About an assignment's due date or, without an anchor, whatever its author had in mind.
    Due,
}

impl Kind {
    #[must_use]
    pub fn of(reminder_type: &str) -> Self {
        match reminder_type {
            "contact-reminder" => Self::Reminder,
            "contact-escalation" => Self::Escalation,
            "daily-summary" => Self::Summary,
            _ => Self::Due,
        }
    }
}

/// The assignment that a reminder is about, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    pub status: &'a str,
    /// The last contact or, without any, the day of assignment.
    pub silent_since: NaiveDate,
    pub due_at: Option<DateTime<Utc>>,
    /// A reminder closer to the same due date is due as well.
    pub is_superseded: bool,
}

/// The day that a summary is about, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    pub is_wanted: bool,
    pub is_today: bool,
    pub has_something_to_say: bool,
}

/// The person to write to. For follow-ups: whoever is mentor or coordinator now.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    pub is_opted_out: bool,
    pub has_address: bool,
}

/// Why a reminder is not sent. The names are those of `reminders.skip_reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    AssignmentGone,
    Completed,
    NotOpen,
    Contacted,
    ContactChanged,
    DueMoved,
    PastDue,
    Superseded,
    NotWanted,
    DayOver,
    NothingToSay,
    NoMentor,
    NoCoordinator,
    RecipientGone,
    OptedOut,
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
            Self::DueMoved => "due_moved",
            Self::PastDue => "past_due",
            Self::Superseded => "superseded",
            Self::NotWanted => "not_wanted",
            Self::DayOver => "day_over",
            Self::NothingToSay => "nothing_to_say",
            Self::NoMentor => "no_mentor",
            Self::NoCoordinator => "no_coordinator",
            Self::RecipientGone => "recipient_gone",
            Self::OptedOut => "opted_out",
            Self::NoAddress => "no_address",
        }
    }
}

/// Why the reminder should no longer be sent; `None`: send it. `anchor` is what it was enqueued for; one without it was
/// inserted by hand and stands for itself. What it is about comes first, whom it goes to second.
#[must_use]
pub fn skip_reason(
    kind: Kind,
    anchor: Option<DateTime<Utc>>,
    assignment: Option<Assignment>,
    day: Day,
    recipient: Option<Recipient>,
    now: DateTime<Utc>,
) -> Option<SkipReason> {
    let about = match (kind, assignment) {
        (Kind::Summary, _) => about_day(day),
        (_, None) => Some(SkipReason::AssignmentGone),
        (_, Some(assignment)) => about_assignment(kind, anchor, assignment, now),
    };
    about.or_else(|| about_recipient(kind, recipient))
}

fn about_assignment(
    kind: Kind,
    anchor: Option<DateTime<Utc>>,
    assignment: Assignment,
    now: DateTime<Utc>,
) -> Option<SkipReason> {
    match assignment.status {
        "open" => {}
        "completed" => return Some(SkipReason::Completed),
        _ => return Some(SkipReason::NotOpen),
    }
    let anchor = anchor?;
    if kind == Kind::Due {
        return match assignment.due_at {
            Some(due_at) if due_at != anchor => Some(SkipReason::DueMoved),
            None => Some(SkipReason::DueMoved),
            Some(due_at) if due_at <= now => Some(SkipReason::PastDue),
            Some(_) => assignment.is_superseded.then_some(SkipReason::Superseded),
        };
    }
    // A follow-up's anchor is midnight UTC of the day that its silence began.
    match assignment.silent_since.cmp(&anchor.date_naive()) {
        std::cmp::Ordering::Greater => Some(SkipReason::Contacted),
        std::cmp::Ordering::Less => Some(SkipReason::ContactChanged),
        std::cmp::Ordering::Equal => None,
    }
}

fn about_day(day: Day) -> Option<SkipReason> {
    match day {
        Day { is_wanted: false, .. } => Some(SkipReason::NotWanted),
        Day { is_today: false, .. } => Some(SkipReason::DayOver),
        Day { has_something_to_say: false, .. } => Some(SkipReason::NothingToSay),
        _ => None,
    }
}

fn about_recipient(kind: Kind, recipient: Option<Recipient>) -> Option<SkipReason> {
    match (recipient, kind) {
        (None, Kind::Reminder) => Some(SkipReason::NoMentor),
        (None, Kind::Escalation) => Some(SkipReason::NoCoordinator),
        (None, _) => Some(SkipReason::RecipientGone),
        (Some(Recipient { is_opted_out: true, .. }), _) => Some(SkipReason::OptedOut),
        (Some(Recipient { has_address: false, .. }), _) => Some(SkipReason::NoAddress),
        (Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_795_341_600, 0) {
        Some(now) => now,
        None => unreachable!(),
    };
    const DAY: Day = Day { is_wanted: true, is_today: true, has_something_to_say: true };
    const RECIPIENT: Option<Recipient> = Some(Recipient { is_opted_out: false, has_address: true });

    fn silence_began() -> DateTime<Utc> {
        (NOW - TimeDelta::days(20)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
    }

    fn assignment() -> Assignment<'static> {
        Assignment {
            status: "open",
            silent_since: silence_began().date_naive(),
            due_at: Some(NOW + TimeDelta::hours(2)),
            is_superseded: false,
        }
    }

    fn anchor(kind: Kind) -> Option<DateTime<Utc>> {
        if kind == Kind::Due { assignment().due_at } else { Some(silence_began()) }
    }

    fn judged(kind: Kind, assignment: Assignment, recipient: Option<Recipient>) -> Option<SkipReason> {
        skip_reason(kind, anchor(kind), Some(assignment), DAY, recipient, NOW)
    }

    #[test]
    fn what_stands_as_it_was_enqueued_is_sent() {
        for kind in [Kind::Reminder, Kind::Escalation, Kind::Due, Kind::Summary] {
            assert_eq!(judged(kind, assignment(), RECIPIENT), None, "{kind:?}");
        }
        assert_eq!(skip_reason(Kind::Summary, None, None, DAY, RECIPIENT, NOW), None);
    }

    #[test]
    fn an_assignment_that_is_not_open_is_not_reminded_of() {
        for kind in [Kind::Reminder, Kind::Escalation, Kind::Due] {
            for (status, reason) in [
                ("completed", SkipReason::Completed),
                ("paused", SkipReason::NotOpen),
                ("cancelled", SkipReason::NotOpen),
            ] {
                assert_eq!(judged(kind, Assignment { status, ..assignment() }, RECIPIENT), Some(reason));
            }
            assert_eq!(skip_reason(kind, anchor(kind), None, DAY, RECIPIENT, NOW), Some(SkipReason::AssignmentGone));
        }
    }

    #[test]
    fn a_silence_that_ended_or_began_earlier_is_not_reminded_of() {
        for kind in [Kind::Reminder, Kind::Escalation] {
            let at = |days| Assignment {
                silent_since: silence_began().date_naive() + TimeDelta::days(days),
                ..assignment()
            };
            assert_eq!(judged(kind, at(1), RECIPIENT), Some(SkipReason::Contacted));
            assert_eq!(judged(kind, at(-1), RECIPIENT), Some(SkipReason::ContactChanged));
            assert_eq!(judged(kind, Assignment { due_at: None, ..at(0) }, RECIPIENT), None, "due dates do not matter");
        }
    }

    #[test]
    fn a_due_date_that_moved_passed_or_has_a_closer_reminder_is_not_reminded_of() {
        let due_at = |due_at| judged(Kind::Due, Assignment { due_at, ..assignment() }, RECIPIENT);
        assert_eq!(due_at(Some(NOW + TimeDelta::hours(3))), Some(SkipReason::DueMoved));
        assert_eq!(due_at(None), Some(SkipReason::DueMoved));
        let superseded = Assignment { is_superseded: true, ..assignment() };
        assert_eq!(judged(Kind::Due, superseded, RECIPIENT), Some(SkipReason::Superseded));
        for (seconds, reason) in [(1, None), (0, Some(SkipReason::PastDue)), (-1, Some(SkipReason::PastDue))] {
            let due_at = Some(NOW + TimeDelta::seconds(seconds));
            let assignment = Assignment { due_at, ..assignment() };
            assert_eq!(skip_reason(Kind::Due, due_at, Some(assignment), DAY, RECIPIENT, NOW), reason);
        }
    }

    #[test]
    fn a_summary_that_is_unwanted_stale_or_empty_is_not_sent() {
        let day = |day| skip_reason(Kind::Summary, None, None, day, RECIPIENT, NOW);
        assert_eq!(day(Day { is_wanted: false, ..DAY }), Some(SkipReason::NotWanted));
        assert_eq!(day(Day { is_today: false, ..DAY }), Some(SkipReason::DayOver));
        assert_eq!(day(Day { has_something_to_say: false, ..DAY }), Some(SkipReason::NothingToSay));
    }

    #[test]
    fn whoever_cannot_or_will_not_be_written_to_is_not() {
        for (kind, reason) in [
            (Kind::Reminder, SkipReason::NoMentor),
            (Kind::Escalation, SkipReason::NoCoordinator),
            (Kind::Due, SkipReason::RecipientGone),
            (Kind::Summary, SkipReason::RecipientGone),
        ] {
            assert_eq!(judged(kind, assignment(), None), Some(reason));
            let opted_out = Some(Recipient { is_opted_out: true, has_address: false });
            assert_eq!(judged(kind, assignment(), opted_out), Some(SkipReason::OptedOut));
            let no_address = Some(Recipient { is_opted_out: false, has_address: false });
            assert_eq!(judged(kind, assignment(), no_address), Some(SkipReason::NoAddress));
        }
    }

    #[test]
    fn what_was_inserted_by_hand_without_an_anchor_stands_for_itself() {
        let overtaken =
            Assignment { due_at: None, silent_since: NOW.date_naive(), is_superseded: true, ..assignment() };
        assert_eq!(skip_reason(Kind::Due, None, Some(overtaken), DAY, RECIPIENT, NOW), None);
        let completed = Assignment { status: "completed", ..assignment() };
        assert_eq!(
            skip_reason(Kind::Due, None, Some(completed), DAY, RECIPIENT, NOW),
            Some(SkipReason::Completed),
            "but nobody is reminded of what is done"
        );
    }

    #[test]
    fn types_are_told_apart_by_name() {
        let kinds = ["contact-reminder", "contact-escalation", "daily-summary", "24h", "welcome"].map(Kind::of);
        assert_eq!(kinds, [Kind::Reminder, Kind::Escalation, Kind::Summary, Kind::Due, Kind::Due]);
    }
}
