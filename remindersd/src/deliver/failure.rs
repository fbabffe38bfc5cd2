//! How a message was not handed over: how far it had come, and what was said.

use std::error::Error as _;

use lettre::transport::smtp;

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
    pub fn new(stage: Stage, error: &smtp::Error) -> Self {
        let said = match error.status() {
            Some(code) => Said::Reply {
                code: code.into(),
                text: kept(&error.source().map(ToString::to_string).unwrap_or_default()),
            },
            None if error.is_client() => Said::Lacking(kept(&error.to_string())),
            None => Said::Broken(kept(&error.to_string())),
        };
        Self { stage, said }
    }

    pub fn broken(stage: Stage, why: &str) -> Self {
        Self { stage, said: Said::Broken(kept(why)) }
    }

    /// What logs may hold of it: of a reply, once somebody was named to the server, its codes only.
    pub fn told(&self) -> String {
        match &self.said {
            Said::Reply { code, text } if self.stage < Stage::Recipient => {
                let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
                format!("{code} {} ({})", words.collect::<Vec<_>>().join(" "), self.stage.name())
            }
            Said::Reply { code, text } => format!("{} ({})", codes(*code, text), self.stage.name()),
            Said::Broken(_) | Said::Lacking(_) => self.to_string(),
        }
    }

    /// Whether the connection can be used no more.
    pub fn ends_connection(&self) -> bool {
        !matches!(&self.said, Said::Reply { code, .. } if *code != 421)
    }

    /// Whether the server was only tired of this connection: another one may do, and nothing was handed over.
    pub fn is_of_old_connection(&self) -> bool {
        self.ends_connection() && self.stage < Stage::Content
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match &self.said {
            // The code first: that is how bounces are read.
            Said::Reply { code, text } => write!(formatter, "{code} {text}"),
            Said::Broken(why) | Said::Lacking(why) => {
                write!(formatter, "{}: {why}", self.stage.name())
            }
        }
    }
}

fn kept(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST).collect()
}

/// A reply's code, and the enhanced one (RFC 3463) where it has one.
fn codes(code: u16, text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_enhanced = first.len() < 12
        && first.contains('.')
        && first.chars().all(|character| character.is_ascii_digit() || character == '.');
    if is_enhanced { format!("{code} {first}") } else { code.to_string() }
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
        // Nobody was named to it.
        assert_eq!(said(Stage::Login, "5.7.8 ask postmaster@example.org"), "550 5.7.8 ask (address) (AUTH)");
    }
}
