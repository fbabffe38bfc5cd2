//! What a webhook said of a message, and whose fault it was that it was not taken. Pure.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use super::verdict::{ATTEMPT, Fault, Own, REFUSED, Verdict};

/// As much as is kept of what it says.
const LONGEST: usize = 1000;
const LONGEST_ID: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Answer {
        status: StatusCode,
        body: Vec<u8>,
    },
    /// Nothing was posted: no connection, or none that is trusted.
    Unreachable(String),
    /// It was posted, perhaps, and nothing was said.
    Broken(String),
    /// No request can be made of it.
    Unwritable(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    said: Said,
    pause: Option<Duration>,
}

impl Reply {
    pub const fn new(said: Said) -> Self {
        Self { said, pause: None }
    }

    pub fn pausing(self, pause: Option<Duration>) -> Self {
        Self { pause, ..self }
    }

    /// How long it asks not to be called again.
    pub const fn pause(&self) -> Option<Duration> {
        self.pause
    }

    /// None: it was taken.
    pub fn verdict(&self) -> Option<Verdict> {
        let (status, body) = match &self.said {
            Said::Answer { status, body } => (*status, body),
            Said::Unreachable(_) => return Some(Verdict::Everybodys(Fault::Transport)),
            Said::Broken(_) => return Some(Verdict::MaybeTaken),
            Said::Unwritable(_) => return Some(Verdict::Own(REFUSED)),
        };
        let is_recipients = word(body, "fault").as_str() == Some(Fault::Recipient.name());
        Some(match status.as_u16() {
            200..=299 => return None,
            410 | 422 if is_recipients => {
                Verdict::Own(Own { fault: Some(Fault::Recipient), permanent: word(body, "permanent").as_bool() })
            }
            429 | 503 => Verdict::Everybodys(Fault::Transport),
            // The next message tells whether it is this one's.
            408 | 425 | 500.. => Verdict::likely(Fault::Transport, ATTEMPT),
            401 | 403 | 404 | 405 => Verdict::Everybodys(Fault::Sender),
            400..=499 => Verdict::perhaps(Fault::Sender, REFUSED),
            // It has moved, or speaks another language.
            _ => Verdict::Everybodys(Fault::Sender),
        })
    }

    /// What the provider calls the message.
    pub fn id(&self) -> Option<String> {
        let Said::Answer { body, .. } = &self.said else { return None };
        let id = match word(body, "id") {
            Value::String(id) => id,
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        let is_id =
            !id.is_empty() && id.len() <= LONGEST_ID && id.chars().all(|character| character.is_ascii_graphic());
        is_id.then_some(id)
    }

    /// Why it was not taken, for the database. Of a recipient's fault without the status, which would be read as a mail server's code.
    pub fn why(&self) -> String {
        let is_recipients = matches!(self.verdict(), Some(Verdict::Own(Own { fault: Some(Fault::Recipient), .. })));
        let why = match &self.said {
            Said::Answer { status, body } => {
                let error = word(body, "error");
                match error.as_str().filter(|error| !error.is_empty()) {
                    Some(error) if is_recipients => error.to_string(),
                    None if is_recipients => "the webhook says that it is the recipient's fault".to_string(),
                    Some(error) => format!("HTTP {}: {error}", status.as_u16()),
                    None => format!("HTTP {}: {}", status.as_u16(), String::from_utf8_lossy(body)),
                }
            }
            Said::Unreachable(why) => format!("connecting: {why}"),
            Said::Broken(why) => format!("after posting: {why}"),
            Said::Unwritable(why) => why.clone(),
        };
        why.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST).collect()
    }

    /// What logs may hold of it: of an answer, its status only.
    pub fn told(&self) -> String {
        match &self.said {
            Said::Answer { status, .. } => format!("HTTP {}", status.as_u16()),
            _ => self.why(),
        }
    }
}

/// A member of the JSON that was answered; null where there is none.
fn word(body: &[u8], name: &str) -> Value {
    serde_json::from_slice(body)
        .ok()
        .and_then(|mut words: Value| words.get_mut(name).map(Value::take))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Reply {
        let status = StatusCode::from_u16(status).expect("a status");
        Reply::new(Said::Answer { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn whose_fault_it_was_is_told_by_the_status() {
        const RECIPIENT: &str = r#"{"fault": "recipient"}"#;
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(said(status, "").verdict(), None, "{status}");
        }
        for status in [401, 403, 404, 405, 301, 302, 307, 308, 304, 100] {
            assert_eq!(said(status, RECIPIENT).verdict(), Some(Verdict::Everybodys(Fault::Sender)), "{status}");
        }
        for status in [429, 503] {
            assert_eq!(said(status, RECIPIENT).verdict(), Some(Verdict::Everybodys(Fault::Transport)), "{status}");
        }
        for status in [408, 425, 500, 502, 504, 507, 599, 600] {
            assert_eq!(said(status, RECIPIENT).verdict(), Some(Verdict::likely(Fault::Transport, ATTEMPT)), "{status}");
        }
        for (status, body) in [(400, RECIPIENT), (413, ""), (418, ""), (410, ""), (422, r#"{"fault": "sender"}"#)] {
            let own = Verdict::perhaps(Fault::Sender, REFUSED);
            assert_eq!(said(status, body).verdict(), Some(own), "{status} {body}");
        }
        for status in [410, 422] {
            let own = |permanent| Some(Verdict::Own(Own { fault: Some(Fault::Recipient), permanent }));
            assert_eq!(said(status, RECIPIENT).verdict(), own(None));
            assert_eq!(said(status, r#"{"fault":"recipient","permanent":true}"#).verdict(), own(Some(true)));
            assert_eq!(said(status, r#"{"fault":"recipient","permanent":"yes"}"#).verdict(), own(None));
        }
        assert_eq!(Reply::new(Said::Unreachable(String::new())).verdict(), Some(Verdict::Everybodys(Fault::Transport)));
        assert_eq!(Reply::new(Said::Broken(String::new())).verdict(), Some(Verdict::MaybeTaken));
    }

    #[test]
    fn an_answer_of_any_kind_is_read_for_what_it_may_say() {
        for (body, id) in [
            (r#"{"id": "m-1"}"#, Some("m-1")),
            (r#"{"id": 17}"#, Some("17")),
            (r#"{"id": {"of": 1}}"#, None),
            (r#"{"id": "two words"}"#, None),
            (r#"{"id": ""}"#, None),
            ("[1]", None),
            ("ok", None),
            ("\u{0}", None),
            ("", None),
        ] {
            assert_eq!(said(202, body).id().as_deref(), id, "{body}");
        }
        assert_eq!(said(202, &format!(r#"{{"id": "{}"}}"#, "x".repeat(201))).id(), None);
        assert_eq!(said(422, r#"{"error": "what"}"#).why(), "HTTP 422: what");
        assert_eq!(said(422, r#"{"fault": "recipient", "error": "550 5.1.1 unknown"}"#).why(), "550 5.1.1 unknown");
        assert!(!said(410, r#"{"fault": "recipient"}"#).why().contains("410"));
        assert_eq!(said(400, "no\r\nsuch").why(), "HTTP 400: no  such");
        assert_eq!(said(400, &"x".repeat(5000)).why().len(), LONGEST);
        assert_eq!(said(400, "Ann Lee").told(), "HTTP 400");
    }
}
