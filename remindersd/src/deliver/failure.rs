//! How a message was not handed over: how far it had come, and what was said.

use super::answer::{Answer, enhanced};

/// How far the talk with the server had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The connection, the server's greeting, EHLO; with smtps:// encryption, too.
    Connect,
    /// STARTTLS.
    Encryption,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The message itself.
    Content,
}

impl Stage {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Encryption => "STARTTLS",
            Self::Login => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "after DATA",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// No, with this code.
    Reply { code: u16, text: String },
    /// Nothing (any more): no connection, no answer in time, nothing that SMTP knows.
    Broken(String),
    /// The server cannot do what the configuration asks for.
    Lacking(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub stage: Stage,
    pub said: Said,
}

/// As much as is kept of what a server says.
const LONGEST: usize = 1000;

impl Failure {
    pub fn reply(stage: Stage, answer: &Answer) -> Self {
        let text = answer.text();
        // It may repeat what it was told, and that is a password.
        let text = if stage == Stage::Login { enhanced(&text).unwrap_or_default() } else { &text };
        Self { stage, said: Said::Reply { code: answer.code, text: kept(text) } }
    }

    pub fn broken(stage: Stage, why: &str) -> Self {
        Self { stage, said: Said::Broken(kept(why)) }
    }

    /// What logs may hold of it: of a reply its codes only, once the server was told of anybody.
    pub fn told(&self) -> String {
        match &self.said {
            Said::Reply { code, text } if self.stage < Stage::Login => {
                let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
                format!("{code} {} ({})", words.collect::<Vec<_>>().join(" "), self.stage.name())
            }
            Said::Reply { code, text } => format!("{} ({})", codes(*code, text), self.stage.name()),
            Said::Broken(_) | Said::Lacking(_) => self.to_string(),
        }
    }

    /// Whether the connection can be used no more.
    pub fn ends_connection(&self) -> bool {
        match &self.said {
            Said::Reply { code: 421, .. } | Said::Broken(_) | Said::Lacking(_) => true,
            Said::Reply { code, text } => self.is_of_session(*code, text),
        }
    }

    /// Whether the server was only tired of this connection: another one may do, and nothing was handed over.
    pub fn is_of_old_connection(&self) -> bool {
        self.ends_connection() && self.stage < Stage::Content
    }

    /// Whether it may be said of one connection more than the server allows, where others work.
    pub fn is_of_further_connection(&self) -> bool {
        match &self.said {
            Said::Reply { code, .. } => self.stage < Stage::Sender && matches!(code, 400..=499 | 554),
            Said::Broken(_) => self.stage == Stage::Connect,
            Said::Lacking(_) => false,
        }
    }

    /// Too many recipients: we name one for each message, so they are counted by the session.
    fn is_of_session(&self, code: u16, text: &str) -> bool {
        matches!(self.stage, Stage::Sender | Stage::Recipient) && code == 452 && enhanced(text) == Some("4.5.3")
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match &self.said {
            // The code first: that is how bounces are read.
            Said::Reply { code, text } => write!(formatter, "{}", format!("{code} {text}").trim_end()),
            Said::Broken(why) | Said::Lacking(why) => {
                write!(formatter, "{}: {why}", self.stage.name())
            }
        }
    }
}

fn kept(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST).collect()
}

/// A reply's code, and the enhanced one where it has one.
fn codes(code: u16, text: &str) -> String {
    enhanced(text).map_or_else(|| code.to_string(), |enhanced| format!("{code} {enhanced}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_logs_hold_of_a_reply_names_nobody() {
        let said =
            |stage, text: &str| Failure { stage, said: Said::Reply { code: 550, text: text.to_string() } }.told();
        assert_eq!(said(Stage::Recipient, "5.1.1 Ann Lee <ann@example.org> is unknown"), "550 5.1.1 (RCPT TO)");
        assert_eq!(said(Stage::Content, "Ann Lee is unknown"), "550 (after DATA)");
        assert_eq!(said(Stage::Recipient, "ann.lee unknown"), "550 (RCPT TO)");
        assert_eq!(said(Stage::Login, "5.7.8 ann, secret"), "550 5.7.8 (AUTH)");
        // Nobody was named to it.
        assert_eq!(said(Stage::Connect, "5.7.1 ask postmaster@example.org"), "550 5.7.1 ask (address) (connecting)");
    }

    #[test]
    fn nothing_holds_what_is_said_to_a_login() {
        let answer = |line: &str| Answer { code: 535, lines: vec![line.to_string()] };
        let said = |line| Failure::reply(Stage::Login, &answer(line)).to_string();
        assert_eq!(said("5.7.8 programme, secret"), "535 5.7.8");
        assert_eq!(said("programme, secret"), "535");
        assert_eq!(Failure::reply(Stage::Sender, &answer("no")).to_string(), "535 no");
    }

    #[test]
    fn a_session_that_had_enough_is_not_a_recipient_that_is_refused() {
        let failure = |stage, code, text: &str| Failure { stage, said: Said::Reply { code, text: text.to_string() } };
        for stage in [Stage::Sender, Stage::Recipient] {
            assert!(failure(stage, 452, "4.5.3 Too many recipients").is_of_old_connection());
            assert!(failure(stage, 421, "").is_of_old_connection());
            assert!(!failure(stage, 452, "4.2.2 Mailbox full").ends_connection());
        }
        assert!(!failure(Stage::Content, 452, "4.5.3 Too many").ends_connection());
    }
}
