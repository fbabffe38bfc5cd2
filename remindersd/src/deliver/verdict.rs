//! Whose fault it was that a message was not taken, by how far it had come and what was said. Pure.
//!
//! What was refused before anybody was named is everything's that is sent from there: nobody's message pays for it. What was said of an address or a mailbox is
//! the recipient's. All else may be everybody's or the message's, and so may a connection that breaks as soon as somebody is named: other messages tell.

use super::answer::enhanced;
use super::failure::{Failure, Said, Stage};

/// As record_digest_failure() calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Recipient,
    Sender,
    Transport,
}

impl Fault {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Sender => "sender",
            Self::Transport => "transport",
        }
    }
}

/// What is answered of a message by itself: whose fault, and whether for good. `None` leaves that to the database, which judges what is said of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    pub fault: Option<Fault>,
    pub permanent: Option<bool>,
}

/// An attempt, and nobody is to blame.
pub const ATTEMPT: Own = Own { fault: None, permanent: Some(false) };
/// It is not wanted, and nobody is to blame.
pub const REFUSED: Own = Own { fault: None, permanent: Some(true) };
const RECIPIENTS: Own = Own { fault: Some(Fault::Recipient), permanent: None };

/// So many in a row whose connection broke, or that say by themselves whose fault it is, and nobody else's is taken.
const FEW: usize = 3;
/// So many in a row that say nothing clear.
const MANY: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This message's alone.
    Own(Own),
    /// It was on its way when the connection broke, so it may have been taken: that is an attempt.
    MaybeTaken,
    /// That of whatever the organization sends now.
    Everybodys(Fault),
    /// Everybody's where so many in a row fare no better, or nobody else's is taken; else this message's.
    Doubtful { fault: Fault, enough: usize, own: Own },
}

impl Verdict {
    /// Everybody's, by what it says; but one message may provoke it, too.
    pub const fn likely(fault: Fault, own: Own) -> Self {
        Self::Doubtful { fault, enough: FEW, own }
    }

    /// It says nothing clear.
    pub const fn perhaps(fault: Fault, own: Own) -> Self {
        Self::Doubtful { fault, enough: MANY, own }
    }

    pub fn of(failure: &Failure) -> Self {
        match &failure.said {
            Said::Reply { code, text } => of_reply(failure.stage, *code, text),
            Said::Lacking(_) => Self::Everybodys(Fault::Sender),
            Said::Broken(_) => match failure.stage {
                Stage::Content => Self::MaybeTaken,
                Stage::Recipient | Stage::Data => Self::likely(Fault::Transport, ATTEMPT),
                Stage::Connect | Stage::Encryption | Stage::Login | Stage::Sender => Self::Everybodys(Fault::Transport),
            },
        }
    }
}

fn of_reply(stage: Stage, code: u16, text: &str) -> Verdict {
    let is_permanent = code >= 500;
    let blamed = if is_permanent { Fault::Sender } else { Fault::Transport };
    match stage {
        Stage::Connect | Stage::Encryption | Stage::Login | Stage::Sender => Verdict::Everybodys(blamed),
        // The server is closing, whatever it was asked.
        Stage::Recipient | Stage::Data if code == 421 => Verdict::likely(Fault::Transport, ATTEMPT),
        Stage::Recipient => match subject(code, text) {
            Subject::Message => Verdict::Own(REFUSED),
            Subject::Sender => Verdict::likely(blamed, RECIPIENTS),
            Subject::Recipient => Verdict::Own(RECIPIENTS),
            Subject::Unclear => Verdict::perhaps(blamed, RECIPIENTS),
        },
        Stage::Data | Stage::Content => match subject(code, text) {
            Subject::Sender => Verdict::likely(blamed, RECIPIENTS),
            Subject::Message => Verdict::Own(REFUSED),
            // What it says is of somebody, though it says it late.
            Subject::Recipient => Verdict::Own(RECIPIENTS),
            // Of what is refused when it was seen, the others tell whether it is the message.
            Subject::Unclear => Verdict::perhaps(blamed, Own { fault: None, permanent: Some(is_permanent) }),
        },
    }
}

/// What a refusal is about.
enum Subject {
    /// An address, or its mailbox.
    Recipient,
    /// It says by itself that whoever sends is to blame: no login, no encryption, no passing DKIM or SPF.
    Sender,
    /// The address has letters that the next server does not take.
    Message,
    Unclear,
}

/// By the codes of RFC 5321 (4.2.3), RFC 4954, and RFC 3463 with IANA's registry.
fn subject(code: u16, text: &str) -> Subject {
    if matches!(code, 530 | 534 | 535 | 538) {
        return Subject::Sender;
    }
    match status(text) {
        // The sender's address or domain.
        Some((1, 7 | 8)) => Subject::Sender,
        Some((7, 8..=13 | 20..=27)) if code >= 500 => Subject::Sender,
        Some((6, 7)) => Subject::Message,
        // Also of a list, or of a mailbox or domain that changed hands.
        Some((1 | 2, _) | (7, 2 | 17..=19)) => Subject::Recipient,
        Some(_) => Subject::Unclear,
        None if !matches!(code, 450 | 550..=553) => Subject::Unclear,
        // Of a mailbox, unless it says otherwise.
        None => {
            let text = text.to_ascii_lowercase();
            if SENDERS_WORDS.iter().any(|word| text.contains(word)) { Subject::Unclear } else { Subject::Recipient }
        }
    }
}

/// Of refusals without a status that are not about a mailbox.
const SENDERS_WORDS: [&str; 15] = [
    "relay",
    "sender",
    "blocked",
    "blacklist",
    "block list",
    "blocklist",
    "spam",
    "spf",
    "dkim",
    "dmarc",
    "policy",
    "reputation",
    "authenticat",
    "denied",
    "rate limit",
];

/// Subject and detail of the enhanced status code that a reply begins with.
fn status(text: &str) -> Option<(u16, u16)> {
    let mut parts = enhanced(text)?.split('.').map(str::parse::<u16>);
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        (Ok(4 | 5), Ok(subject), Ok(detail), None) => Some((subject, detail)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: [Stage; 4] = [Stage::Connect, Stage::Encryption, Stage::Login, Stage::Sender];

    fn said(stage: Stage, code: u16, text: &str) -> Verdict {
        Verdict::of(&Failure { stage, said: Said::Reply { code, text: text.to_string() } })
    }

    fn broken(stage: Stage) -> Verdict {
        Verdict::of(&Failure { stage, said: Said::Broken("reset by peer".to_string()) })
    }

    /// Whose it is if it is not the message's, and after how many.
    fn doubt(verdict: Verdict) -> Option<(Fault, usize)> {
        match verdict {
            Verdict::Doubtful { fault, enough, .. } => Some((fault, enough)),
            _ => None,
        }
    }

    #[test]
    fn what_is_refused_before_anybody_is_named_is_nobodys_message() {
        for stage in BEFORE {
            for (code, text) in [(535, "5.7.8 bad credentials"), (554, "no service"), (550, "5.1.1 unknown"), (552, "")]
            {
                assert_eq!(said(stage, code, text), Verdict::Everybodys(Fault::Sender), "{stage:?} {code}");
            }
            for code in [421, 450, 454, 451] {
                assert_eq!(said(stage, code, "4.7.0 later"), Verdict::Everybodys(Fault::Transport), "{stage:?} {code}");
            }
            assert_eq!(broken(stage), Verdict::Everybodys(Fault::Transport), "{stage:?}");
        }
        let lacking = Failure { stage: Stage::Encryption, said: Said::Lacking("no STARTTLS".to_string()) };
        assert_eq!(Verdict::of(&lacking), Verdict::Everybodys(Fault::Sender));
    }

    #[test]
    fn what_is_said_of_an_address_or_a_mailbox_is_the_recipients() {
        for (code, text) in [
            (550, "5.1.1 User unknown"),
            (550, "no such user"),
            (551, "user not local"),
            (552, "5.2.2 mailbox full"),
            (450, "mailbox busy"),
            (452, "4.2.2 mailbox full"),
            (550, "5.7.17 the mailbox has another owner"),
        ] {
            assert_eq!(said(Stage::Recipient, code, text), Verdict::Own(RECIPIENTS), "{code} {text}");
        }
        assert_eq!(said(Stage::Content, 550, "5.1.1 User unknown"), Verdict::Own(RECIPIENTS));
    }

    #[test]
    fn what_names_the_login_or_the_sender_is_the_senders_unless_another_is_taken() {
        for stage in [Stage::Recipient, Stage::Data, Stage::Content] {
            for (code, text) in [
                (530, "5.7.0 Authentication required"),
                (530, "Must issue a STARTTLS command first"),
                (550, "5.7.26 unauthenticated"),
                (550, "5.7.23 SPF failed"),
                (535, ""),
                (550, "5.7.13 account disabled"),
                (550, "5.1.8 Sender address rejected"),
                (553, "5.1.7 bad sender"),
            ] {
                assert_eq!(doubt(said(stage, code, text)), Some((Fault::Sender, FEW)), "{stage:?} {code} {text}");
            }
            assert_eq!(doubt(said(stage, 450, "4.1.8 domain not found")), Some((Fault::Transport, FEW)));
        }
    }

    #[test]
    fn what_says_nothing_clear_waits_for_what_others_get() {
        for stage in [Stage::Recipient, Stage::Data, Stage::Content] {
            for (code, text, fault) in [
                (550, "5.7.1 not allowed", Fault::Sender),
                (554, "Relay access denied", Fault::Sender),
                (550, "5.7.133 members only", Fault::Sender),
                (550, "5.4.5 Daily user sending limit exceeded", Fault::Sender),
                (550, "Access denied, sender IP blocked", Fault::Sender),
                (503, "5.5.1 need MAIL", Fault::Sender),
                (451, "4.3.0 Temporary lookup failure", Fault::Transport),
                (452, "4.3.1 Insufficient system storage", Fault::Transport),
                (450, "4.7.1 too many recipients", Fault::Transport),
                (452, "too much", Fault::Transport),
            ] {
                assert_eq!(doubt(said(stage, code, text)), Some((fault, MANY)), "{stage:?} {code} {text}");
            }
        }
        for (code, text) in [
            (554, "Message rejected: Email address is not verified."),
            (554, "5.6.0 malformed"),
            (552, "5.3.4 too big"),
        ] {
            let own = Own { fault: None, permanent: Some(true) };
            let expected = Verdict::Doubtful { fault: Fault::Sender, enough: MANY, own };
            assert_eq!(said(Stage::Content, code, text), expected, "{code} {text}");
        }
    }

    #[test]
    fn a_broken_connection_costs_an_attempt_only_where_the_message_may_have_been_taken() {
        assert_eq!(broken(Stage::Content), Verdict::MaybeTaken);
        let likely = Verdict::likely(Fault::Transport, ATTEMPT);
        assert_eq!(broken(Stage::Recipient), likely);
        assert_eq!(broken(Stage::Data), likely);
        assert_eq!(said(Stage::Recipient, 421, "4.3.2 closing"), likely);
        // It was seen, and not taken.
        assert_eq!(doubt(said(Stage::Content, 421, "closing")), Some((Fault::Transport, MANY)));
    }
}
