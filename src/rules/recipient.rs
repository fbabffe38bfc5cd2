//! Recipients: who can be written to, and if not, why not; and who is told instead.

use super::delivery::SkipReason;
use super::due;
use super::kind::{Addressee, DUE, Follows, KINDS, Kind};

/// The person a reminder would go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub is_opted_out: bool,
    pub has_address: bool,
    /// Whether they want no reminders of this type.
    pub is_muted: bool,
}

/// Why the addressee cannot be written to; `None`: they can. `None` for the recipient: there is no such person.
#[must_use]
pub fn unreachable_reason(addressee: Addressee, recipient: Option<Recipient>) -> Option<SkipReason> {
    match recipient {
        None => Some(addressee.missing()),
        Some(Recipient { is_opted_out: true, .. }) => Some(SkipReason::OptedOut),
        Some(Recipient { is_muted: true, .. }) => Some(SkipReason::Muted),
        Some(Recipient { has_address: false, .. }) => Some(SkipReason::NoAddress),
        Some(_) => None,
    }
}

/// Whether a reminder that was skipped for this reason was skipped because it could reach nobody.
#[must_use]
pub fn is_unreachable(skip_reason: &str) -> bool {
    use SkipReason::{Muted, NoAddress, NoCoordinator, NoMentor, OptedOut, RecipientGone};
    [NoMentor, NoCoordinator, RecipientGone, OptedOut, Muted, NoAddress]
        .iter()
        .any(|reason| reason.name() == skip_reason)
}

/// Whether what a person muted holds for reminders of this type: an element is a reminder type, or the name of a kind for all of its types.
#[must_use]
pub fn is_muted<'a>(mut muted_types: impl Iterator<Item = &'a str>, reminder_type: &str) -> bool {
    let kind = Kind::of(reminder_type);
    muted_types.any(|muted| muted == reminder_type || muted == kind.name)
}

/// What a person who wants no more reminders of a type mutes: the name itself, of a kind or of a type of ours; all reminders of due dates for
/// any of them, since their names are the organization's offsets, which change. `None`: the type is none of ours, but may be the programme's own.
#[must_use]
pub fn muted_by(reminder_type: &str) -> Option<&str> {
    let is_ours =
        KINDS.iter().any(|kind| kind.name == reminder_type) || Kind::of(reminder_type).follows != Follows::DueDate;
    if is_ours { Some(reminder_type) } else { due::is_reminder_type(reminder_type).then_some(DUE.name) }
}

/// What mutes something already: any one of these, or all of those.
#[derive(Debug, PartialEq, Eq)]
pub struct Covering<'a> {
    pub any_of: Vec<&'a str>,
    /// Never none.
    pub all_of: Vec<&'a str>,
}

/// What covers `muted`, the name of a kind or a type: a type its kind's name, too, and a kind all of its types, where it has any of its own.
#[must_use]
pub fn covering(muted: &str) -> Covering<'_> {
    match Kind::named(muted) {
        Some(kind) if !kind.reminder_types.is_empty() => {
            Covering { any_of: vec![muted], all_of: kind.reminder_types.to_vec() }
        }
        Some(_) => Covering { any_of: vec![muted], all_of: vec![muted] },
        None => Covering { any_of: vec![muted, Kind::of(muted).name], all_of: vec![muted] },
    }
}

/// Whether what an assignment's coordinator is to be told goes to the organization's fallback instead: where there is no coordinator, and
/// where only the fallback can be reached. Where neither can, it stays with the coordinator, and visible. Each: why that one cannot be
/// written to.
#[must_use]
pub fn goes_to_fallback(coordinator: Option<&str>, fallback: Option<&str>) -> bool {
    coordinator == Some(SkipReason::NoCoordinator.name()) || coordinator.is_some() && fallback.is_none()
}

#[cfg(test)]
mod tests {
    use super::super::kind::{ESCALATE, NOTICE, REMIND, SUMMARY};
    use super::*;

    #[test]
    fn whoever_is_missing_opted_out_or_has_no_address_cannot_be_written_to() {
        for (addressee, missing) in [
            (Addressee::Mentor, SkipReason::NoMentor),
            (Addressee::Coordinator, SkipReason::NoCoordinator),
            (Addressee::Recipient, SkipReason::RecipientGone),
            (Addressee::Admin, SkipReason::RecipientGone),
        ] {
            let reason = |is_opted_out, has_address, is_muted| {
                unreachable_reason(addressee, Some(Recipient { is_opted_out, has_address, is_muted }))
            };
            assert_eq!(unreachable_reason(addressee, None), Some(missing));
            assert_eq!(reason(false, true, false), None);
            assert_eq!(reason(false, false, false), Some(SkipReason::NoAddress));
            assert_eq!(reason(false, true, true), Some(SkipReason::Muted));
            assert_eq!(reason(false, false, true), Some(SkipReason::Muted), "the person's word comes first");
            for is_muted in [false, true] {
                assert_eq!(reason(true, true, is_muted), Some(SkipReason::OptedOut));
                assert_eq!(reason(true, false, is_muted), Some(SkipReason::OptedOut), "the person's word comes first");
            }
            for reason in [missing, SkipReason::NoAddress, SkipReason::OptedOut, SkipReason::Muted] {
                assert!(is_unreachable(reason.name()), "{reason:?}");
            }
            assert!(!is_unreachable(SkipReason::Paused.name()));
        }
    }

    #[test]
    fn a_type_is_muted_by_its_name_or_by_its_kinds() {
        let is = |muted: &[&str], reminder_type| is_muted(muted.iter().copied(), reminder_type);
        for kind in [REMIND, ESCALATE, SUMMARY, NOTICE] {
            for reminder_type in kind.reminder_types {
                assert!(is(&[reminder_type], reminder_type));
                assert!(is(&["2h", kind.name], reminder_type));
                assert!(!is(&[], reminder_type) && !is(&[DUE.name, "2h"], reminder_type));
            }
        }
        assert!(is(&["2h"], "2h") && !is(&["2h"], "24h"));
        assert!(is(&[DUE.name], "24h") && is(&[DUE.name], "welcome"));
    }

    #[test]
    fn whoever_wants_no_more_of_a_type_wants_no_more_reminders_of_due_dates_or_none_of_that_type() {
        for kind in KINDS {
            assert_eq!(muted_by(kind.name), Some(kind.name));
            for reminder_type in kind.reminder_types {
                assert_eq!(muted_by(reminder_type), Some(*reminder_type));
            }
        }
        assert_eq!(["24h", "2d", "welcome", ""].map(muted_by), [Some(DUE.name), Some(DUE.name), None, None]);
    }

    #[test]
    fn a_type_is_covered_by_its_kind_and_a_kind_by_all_of_its_types() {
        for kind in KINDS {
            assert_eq!(covering(kind.name).any_of, [kind.name]);
            for reminder_type in kind.reminder_types {
                assert_eq!(covering(reminder_type).any_of, [*reminder_type, kind.name]);
                assert_eq!(covering(reminder_type).all_of, [*reminder_type]);
            }
        }
        assert_eq!(covering(ESCALATE.name).all_of, ["contact-escalation"]);
        assert_eq!(covering(NOTICE.name).all_of, NOTICE.reminder_types);
        assert_eq!(covering(DUE.name).all_of, [DUE.name], "its types have no end");
        assert_eq!(covering("welcome").any_of, ["welcome", DUE.name]);
    }

    #[test]
    fn an_escalation_goes_to_the_fallback_where_that_helps() {
        let (missing, opted_out) = (Some("no_coordinator"), Some("opted_out"));
        for (coordinator, fallback, is_told_instead) in [
            (None, None, false),
            (None, opted_out, false),
            (None, missing, false),
            (opted_out, None, true),
            (Some("muted"), None, true),
            (Some("no_address"), None, true),
            (opted_out, opted_out, false),
            (opted_out, missing, false),
            (missing, None, true),
            (missing, opted_out, true),
        ] {
            assert_eq!(goes_to_fallback(coordinator, fallback), is_told_instead, "{coordinator:?} {fallback:?}");
        }
    }
}
