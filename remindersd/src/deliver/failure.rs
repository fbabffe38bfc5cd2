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
                let at = match self.stage {
                    Stage::Connect => "connecting",
                    Stage::Encryption => "STARTTLS",
                    Stage::Login => "AUTH",
                    Stage::Sender => "MAIL FROM",
                    Stage::Recipient => "RCPT TO",
                    Stage::Data => "DATA",
                    Stage::Content => "after DATA",
                };
                write!(formatter, "{at}: {why}")
            }
        }
    }
}

fn kept(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST).collect()
}

/// What logs may hold of what a server said.
pub fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
