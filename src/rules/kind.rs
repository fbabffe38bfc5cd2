//! Kinds of reminders: what each follows, whom it addresses, what its type is called. The one place that names them; SQL
//! asks for them here, by `reminder_kinds()` and the functions beside it.

use super::alert::Cause;
use super::delivery::SkipReason;

/// What a reminder's anchor is taken from: when that moves, the reminder stands for something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// The silence of an assignment: the anchor is the day it began.
    Silence,
    /// The due date of an assignment. Without an anchor it was inserted by hand and is independent of any.
    DueDate,
    /// The recipient's own day.
    Day,
    /// Something that happened to an organization: the anchor is the moment it began.
    Occurrence,
}

/// Whom a reminder goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// Whoever is the assignment's mentor when it is sent.
    Mentor,
    /// Whoever is the assignment's coordinator when it is sent.
    Coordinator,
    /// The recipient that the row names or, where it names none, the assignment's student.
    Recipient,
    /// The recipient that the row names, for as long as they are an admin of the organization.
    Admin,
}

/// One kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: &'static str,
    /// Its `reminder_type`s. None: every type that is no other kind's.
    pub reminder_types: &'static [&'static str],
    pub follows: Follows,
    pub addresses: Addressee,
}

/// To the peer mentor, about silence.
pub const REMIND: Kind = Kind {
    name: "remind",
    reminder_types: &["contact-reminder"],
    follows: Follows::Silence,
    addresses: Addressee::Mentor,
};
/// To the coordinator, about silence that went on.
pub const ESCALATE: Kind = Kind {
    name: "escalate",
    reminder_types: &["contact-escalation"],
    follows: Follows::Silence,
    addresses: Addressee::Coordinator,
};
/// To a person, about their day.
pub const SUMMARY: Kind = Kind {
    name: "summary",
    reminder_types: &["daily-summary"],
    follows: Follows::Day,
    addresses: Addressee::Recipient,
};
/// To the admins of an organization, about what they must see to: a type for each cause.
pub const NOTICE: Kind =
    Kind { name: "notice", reminder_types: &Cause::TYPES, follows: Follows::Occurrence, addresses: Addressee::Admin };
/// To the student, about a due date: `24h`, `2d` and the like. Also whatever its author had in mind, inserted by hand.
pub const DUE: Kind =
    Kind { name: "due", reminder_types: &[], follows: Follows::DueDate, addresses: Addressee::Recipient };

/// Every kind.
pub const KINDS: &[Kind] = &[REMIND, ESCALATE, SUMMARY, NOTICE, DUE];

impl Kind {
    /// The kind of reminders of this type.
    #[must_use]
    pub fn of(reminder_type: &str) -> Self {
        *KINDS.iter().find(|kind| kind.reminder_types.contains(&reminder_type)).unwrap_or(&DUE)
    }

    /// Its type, where it has one and no other.
    #[must_use]
    pub const fn reminder_type(self) -> Option<&'static str> {
        if let [reminder_type] = self.reminder_types { Some(*reminder_type) } else { None }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|kind| kind.name == name).copied()
    }
}

impl Follows {
    /// The types of the kinds that follow this. None where they are not named.
    #[must_use]
    pub fn reminder_types(self) -> Vec<&'static str> {
        KINDS.iter().filter(|kind| kind.follows == self).flat_map(|kind| kind.reminder_types).copied().collect()
    }

    /// The types of the kinds that follow something else. None where they are not named.
    #[must_use]
    pub fn other_types(self) -> Vec<&'static str> {
        KINDS.iter().filter(|kind| kind.follows != self).flat_map(|kind| kind.reminder_types).copied().collect()
    }

    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::DueDate => "due date",
            Self::Day => "day",
            Self::Occurrence => "occurrence",
        }
    }
}

impl Addressee {
    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mentor => "mentor",
            Self::Coordinator => "coordinator",
            Self::Recipient => "recipient",
            Self::Admin => "admin",
        }
    }

    /// The addressee of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Mentor, Self::Coordinator, Self::Recipient, Self::Admin]
            .into_iter()
            .find(|addressee| addressee.name() == name)
    }

    /// Why nothing is sent where there is no such person.
    #[must_use]
    pub const fn missing(self) -> SkipReason {
        match self {
            Self::Mentor => SkipReason::NoMentor,
            Self::Coordinator => SkipReason::NoCoordinator,
            Self::Recipient | Self::Admin => SkipReason::RecipientGone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow_up::Action;
    use super::*;

    #[test]
    fn a_type_belongs_to_the_kind_that_names_it_and_else_to_due_reminders() {
        let kinds =
            ["contact-reminder", "contact-escalation", "daily-summary", "held-run", "24h", "welcome"].map(Kind::of);
        assert_eq!(kinds, [REMIND, ESCALATE, SUMMARY, NOTICE, DUE, DUE]);
    }

    #[test]
    fn names_and_types_are_unique() {
        for kind in KINDS {
            assert_eq!(KINDS.iter().filter(|other| other.name == kind.name).count(), 1, "{kind:?}");
            for reminder_type in kind.reminder_types {
                assert_eq!(Kind::of(reminder_type), *kind);
            }
            assert_eq!(Kind::named(kind.name), Some(*kind));
            assert_eq!(Addressee::named(kind.addresses.name()), Some(kind.addresses));
        }
    }

    #[test]
    fn an_action_is_done_by_the_kind_of_its_name() {
        assert_eq!(Kind::named(Action::Remind.name()), Some(REMIND));
        assert_eq!(Kind::named(Action::Escalate.name()), Some(ESCALATE));
        assert_eq!(Kind::named(Action::None.name()), None);
    }

    #[test]
    fn follow_ups_are_the_named_types_that_follow_a_silence() {
        assert_eq!(Follows::Silence.reminder_types(), ["contact-reminder", "contact-escalation"]);
        assert_eq!(Follows::DueDate.reminder_types(), [""; 0]);
        assert_eq!(
            Follows::Day.other_types(),
            [Follows::Silence.reminder_types(), Follows::Occurrence.reminder_types()].concat()
        );
    }
}
