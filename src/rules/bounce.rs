//! Bounces: whether a mail provider's report means that the address is dead.
//!
//! By the enhanced status code (RFC 3463: class.subject.detail) in the report, else by the SMTP reply code (RFC 5321).

/// What a report says about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// The address does not take mail and never will: it is not written to again.
    Hard,
    /// This message did not arrive; the next one may. A full mailbox, a refused text, a server that is down.
    Soft,
}

/// Judges a bounce or rejection by what the provider said. `is_permanent` is the caller's own knowledge and wins. Without
/// any code it is soft: one unclear report silences nobody.
#[must_use]
pub fn judge(is_permanent: Option<bool>, report: &str) -> Bounce {
    let (reply, enhanced) = codes(report);
    let is_hard = match (is_permanent, enhanced, reply) {
        (Some(is_permanent), ..) => is_permanent,
        // Subject 1: the address. Subject 2: the mailbox; there, 2 to 4 are: full, message too long, list expansion.
        (None, Some((class, subject, detail)), _) => {
            class == 5 && (subject == 1 || subject == 2 && !(2..=4).contains(&detail))
        }
        (None, None, Some(code)) => matches!(code, 550 | 551 | 553),
        (None, None, None) => false,
    };
    if is_hard { Bounce::Hard } else { Bounce::Soft }
}

/// The codes of a report: the SMTP reply code, and the enhanced status code as its three numbers.
#[must_use]
pub fn codes(report: &str) -> (Option<u16>, Option<(u16, u16, u16)>) {
    (reply_code(report), enhanced_code(report))
}

/// The first word of the form 5.1.1.
fn enhanced_code(report: &str) -> Option<(u16, u16, u16)> {
    words(report).find_map(|word| {
        let mut parts = word.split('.').map(|part| part.parse::<u16>().ok());
        match (parts.next()??, parts.next()??, parts.next()??, parts.next()) {
            (class @ (2 | 4 | 5), subject, detail, None) => Some((class, subject, detail)),
            _ => None,
        }
    })
}

/// The first word that is a reply code of failure.
fn reply_code(report: &str) -> Option<u16> {
    words(report)
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .find(|code| (400..600).contains(code))
}

fn words(report: &str) -> impl Iterator<Item = &str> {
    report
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '.')
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_address_or_a_disabled_mailbox_is_a_hard_bounce() {
        for report in [
            "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown",
            "smtp; 550-5.1.1 The email account that you tried to reach does not exist",
            "5.1.2",
            "550 5.2.1 The mailbox is disabled",
            "550 No such user here",
            "553 mailbox name not allowed",
        ] {
            assert_eq!(judge(None, report), Bounce::Hard, "{report}");
        }
    }

    #[test]
    fn what_may_pass_or_is_not_about_the_address_is_a_soft_bounce() {
        for report in [
            "452 4.2.2 Mailbox full",
            "552 5.2.2 Mailbox full",
            "550 5.7.1 Message rejected as spam",
            "554 5.3.4 Message too big",
            "421 try again later",
            "552 exceeded storage allocation",
            "timed out after 3 attempts on 10.1.1.5",
            "",
        ] {
            assert_eq!(judge(None, report), Bounce::Soft, "{report}");
        }
    }

    #[test]
    fn what_the_caller_knows_wins() {
        assert_eq!(judge(Some(false), "550 5.1.1 User unknown"), Bounce::Soft);
        assert_eq!(judge(Some(true), ""), Bounce::Hard);
    }
}
