//! Recipients: who can be written to, and if not, why not.

use super::delivery::SkipReason;
use super::kind::Addressee;

/// The person a reminder would go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub is_opted_out: bool,
    pub has_address: bool,
}

/// Why the addressee cannot be written to; `None`: they can. `None` for the recipient: there is no such person.
#[must_use]
pub fn unreachable_reason(addressee: Addressee, recipient: Option<Recipient>) -> Option<SkipReason> {
    match recipient {
        None => Some(addressee.missing()),
        Some(Recipient { is_opted_out: true, .. }) => Some(SkipReason::OptedOut),
        Some(Recipient { has_address: false, .. }) => Some(SkipReason::NoAddress),
        Some(_) => None,
    }
}

/// Whether a reminder that was skipped for this reason was skipped because it could reach nobody.
#[must_use]
pub fn is_unreachable(skip_reason: &str) -> bool {
    use SkipReason::{NoAddress, NoCoordinator, NoMentor, OptedOut, RecipientGone};
    [NoMentor, NoCoordinator, RecipientGone, OptedOut, NoAddress].iter().any(|reason| reason.name() == skip_reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_missing_opted_out_or_has_no_address_cannot_be_written_to() {
        for (addressee, missing) in [
            (Addressee::Mentor, SkipReason::NoMentor),
            (Addressee::Coordinator, SkipReason::NoCoordinator),
            (Addressee::Recipient, SkipReason::RecipientGone),
            (Addressee::Admin, SkipReason::RecipientGone),
        ] {
            let reason = |is_opted_out, has_address| {
                unreachable_reason(addressee, Some(Recipient { is_opted_out, has_address }))
            };
            assert_eq!(unreachable_reason(addressee, None), Some(missing));
            assert_eq!(reason(false, true), None);
            assert_eq!(reason(false, false), Some(SkipReason::NoAddress));
            assert_eq!(reason(true, true), Some(SkipReason::OptedOut));
            assert_eq!(reason(true, false), Some(SkipReason::OptedOut), "the person's word comes first");
            for reason in [missing, SkipReason::NoAddress, SkipReason::OptedOut] {
                assert!(is_unreachable(reason.name()), "{reason:?}");
            }
            assert!(!is_unreachable(SkipReason::Paused.name()));
        }
    }
}
