//! Whose fault it was that a message was not taken, by how far it had come and what was said. Pure.
//!
//! What was refused before anybody was named is everything's that is sent from there: nobody's message pays for it. What was said of the recipient is the
//! recipient's. A refusal of policy may be either's, and so may a connection that breaks as soon as somebody is named: the next message tells.

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This message's alone. Whether it is for good: `None` leaves that to the database, which judges what is said of an address.
    Own { fault: Option<Fault>, permanent: Option<bool> },
    /// It was on its way when the connection broke, so it may have been taken: that is an attempt.
    MaybeTaken,
    /// That of whatever the organization sends now.
    Everybodys(Fault),
    /// Everybody's where others fare no better, else this message's.
    Doubtful(Fault),
}

impl Verdict {
    pub fn of(failure: &Failure) -> Self {
        match &failure.said {
            Said::Reply { code, text } => of_reply(failure.stage, *code, text),
            Said::Lacking(_) => Self::Everybodys(Fault::Sender),
            Said::Broken(_) => match failure.stage {
                Stage::Content => Self::MaybeTaken,
                Stage::Recipient | Stage::Data => Self::Doubtful(Fault::Transport),
                Stage::Connect | Stage::Encryption | Stage::Login | Stage::Sender => Self::Everybodys(Fault::Transport),
            },
        }
    }
}

fn of_reply(stage: Stage, code: u16, text: &str) -> Verdict {
    let is_permanent = code >= 500;
    match stage {
        Stage::Connect | Stage::Encryption | Stage::Login | Stage::Sender if is_permanent => {
            Verdict::Everybodys(Fault::Sender)
        }
        Stage::Connect | Stage::Encryption | Stage::Login | Stage::Sender => Verdict::Everybodys(Fault::Transport),
        // The server is closing, whatever it was asked.
        Stage::Recipient | Stage::Data if code == 421 => Verdict::Everybodys(Fault::Transport),
        Stage::Recipient | Stage::Data | Stage::Content => match policy(code, text) {
            Policy::Senders => Verdict::Everybodys(Fault::Sender),
            Policy::Anybodys => Verdict::Doubtful(Fault::Sender),
            Policy::None if stage == Stage::Recipient => {
                Verdict::Own { fault: Some(Fault::Recipient), permanent: None }
            }
            // Of what is refused after that, nobody can tell whose fault it is.
            Policy::None => Verdict::Own { fault: None, permanent: Some(is_permanent) },
        },
    }
}

enum Policy {
    None,
    /// It says by itself that whoever sends is to blame: no login, no encryption, no passing DKIM or SPF.
    Senders,
    Anybodys,
}

/// What a refusal says of policy, by the codes of RFC 4954 and of RFC 3463 with IANA's registry. A refusal for now is none: that is what greylisting is.
fn policy(code: u16, text: &str) -> Policy {
    if code < 500 {
        return Policy::None;
    }
    if matches!(code, 530 | 534 | 535 | 538) {
        return Policy::Senders;
    }
    match status(text) {
        Some((7, 8..=13 | 20..=27)) => Policy::Senders,
        // Of a list, or of a mailbox or domain that changed hands.
        Some((7, 2 | 17..=19)) => Policy::None,
        Some((7, _)) => Policy::Anybodys,
        _ if text.to_ascii_lowercase().contains("relay") => Policy::Anybodys,
        _ => Policy::None,
    }
}

/// Subject and detail of the enhanced status code that a reply begins with.
fn status(text: &str) -> Option<(u16, u16)> {
    let mut parts = text.split_whitespace().next()?.split('.').map(str::parse::<u16>);
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        (Ok(4 | 5), Ok(subject), Ok(detail), None) => Some((subject, detail)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Verdict = Verdict::Own { fault: None, permanent: Some(true) };
    const RECIPIENTS: Verdict = Verdict::Own { fault: Some(Fault::Recipient), permanent: None };
    const BEFORE: [Stage; 4] = [Stage::Connect, Stage::Encryption, Stage::Login, Stage::Sender];

    fn said(stage: Stage, code: u16, text: &str) -> Verdict {
        Verdict::of(&Failure { stage, said: Said::Reply { code, text: text.to_string() } })
    }

    fn broken(stage: Stage) -> Verdict {
        Verdict::of(&Failure { stage, said: Said::Broken("reset by peer".to_string()) })
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
    fn what_is_said_of_a_recipient_is_the_recipients() {
        for (code, text) in [
            (550, "5.1.1 User unknown"),
            (550, "no such user"),
            (552, "5.2.2 mailbox full"),
            (450, "4.7.1 greylisted"),
            (452, "4.2.2 mailbox full"),
            (550, "5.7.17 the mailbox has another owner"),
        ] {
            assert_eq!(said(Stage::Recipient, code, text), RECIPIENTS, "{code} {text}");
        }
    }

    #[test]
    fn a_refusal_that_names_the_login_or_the_domain_is_the_senders_wherever_it_comes() {
        for stage in [Stage::Recipient, Stage::Data, Stage::Content] {
            for (code, text) in [
                (530, "5.7.0 Authentication required"),
                (530, "Must issue a STARTTLS command first"),
                (550, "5.7.26 unauthenticated"),
                (550, "5.7.23 SPF failed"),
                (535, ""),
                (550, "5.7.13 account disabled"),
            ] {
                assert_eq!(said(stage, code, text), Verdict::Everybodys(Fault::Sender), "{stage:?} {code} {text}");
            }
        }
    }

    #[test]
    fn any_other_refusal_of_policy_waits_for_what_others_get() {
        for stage in [Stage::Recipient, Stage::Data, Stage::Content] {
            for (code, text) in
                [(550, "5.7.1 not allowed"), (554, "Relay access denied"), (550, "5.7.133 members only")]
            {
                assert_eq!(said(stage, code, text), Verdict::Doubtful(Fault::Sender), "{stage:?} {code} {text}");
            }
        }
    }

    #[test]
    fn of_what_is_refused_when_it_was_seen_nobody_is_to_blame() {
        for stage in [Stage::Data, Stage::Content] {
            assert_eq!(said(stage, 554, "5.6.0 malformed"), OWN);
            assert_eq!(said(stage, 552, "5.3.4 too big"), OWN);
            let later = Verdict::Own { fault: None, permanent: Some(false) };
            assert_eq!(said(stage, 451, "4.3.0 try again"), later);
            assert_eq!(said(stage, 451, "4.7.1 try again"), later);
        }
    }

    #[test]
    fn a_broken_connection_costs_an_attempt_only_where_the_message_may_have_been_taken() {
        assert_eq!(broken(Stage::Content), Verdict::MaybeTaken);
        assert_eq!(broken(Stage::Recipient), Verdict::Doubtful(Fault::Transport));
        assert_eq!(broken(Stage::Data), Verdict::Doubtful(Fault::Transport));
        assert_eq!(said(Stage::Recipient, 421, "4.3.2 closing"), Verdict::Everybodys(Fault::Transport));
        // It was seen, and not taken.
        assert_eq!(said(Stage::Content, 421, "closing"), Verdict::Own { fault: None, permanent: Some(false) });
    }
}
