//! One event of a provider's, in the database's words (record_delivery_event).

use chrono::DateTime;
use serde_json::Value;

use super::LEEWAY;

/// What one event is for us.
#[derive(Debug, PartialEq)]
pub enum Report {
    Event(Event),
    /// Such as that a message was opened.
    Ignored,
    /// What is wrong with it.
    Malformed(&'static str),
}

#[derive(Debug, PartialEq)]
pub struct Event {
    pub status: Status,
    /// Its Message-ID header, where the provider tells it.
    pub message_id: Option<String>,
    /// What the provider calls the message.
    pub provider_message_id: Option<String>,
    /// By which a repeat is known.
    pub id: String,
    /// When it happened, in seconds since 1970, where the provider says so.
    pub at: Option<i64>,
    /// The remote server's words, or the provider's.
    pub error: Option<String>,
    /// Where the provider has an opinion.
    pub permanent: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    Delivered,
    Bounced,
    Rejected,
    Complained,
    Unsubscribed,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Rejected => "rejected",
            Self::Complained => "complained",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// A status, and what the provider says of it.
pub type Said = (Status, Option<String>, Option<bool>);

impl Event {
    /// None: it names no message, or itself.
    pub fn report(
        (status, error, permanent): Said,
        message_id: Option<&str>,
        provider_message_id: Option<&str>,
        event_id: Option<String>,
        at: Option<i64>,
    ) -> Report {
        let some = |id: Option<&str>| id.map(str::trim).filter(|id| !id.is_empty()).map(storable);
        let (message_id, provider_message_id) = (some(message_id), some(provider_message_id));
        if message_id.is_none() && provider_message_id.is_none() {
            return Report::Malformed("an event names no message");
        }
        let Some(event_id) = event_id else { return Report::Malformed("an event has no id") };
        let id = storable(&event_id);
        let error = error.as_deref().map(|error| storable(error.trim())).filter(|error| !error.is_empty());
        Report::Event(Self { status, message_id, provider_message_id, id, at, error, permanent })
    }
}

impl Event {
    /// Whether it happened within so many seconds before `now`: its message may have been handed over and not be known yet. Clocks may differ a little.
    pub fn is_within(&self, seconds: u64, now: i64) -> bool {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.at.is_some_and(|at| (-LEEWAY..seconds).contains(&now.saturating_sub(at)))
    }

    /// What it calls its message.
    pub fn names(&self) -> String {
        let names: Vec<&str> =
            [&self.message_id, &self.provider_message_id].into_iter().flatten().map(String::as_str).collect();
        names.join(", ")
    }
}

/// What text of Postgres's can hold (no NUL), and no more of it than tells something.
fn storable(text: &str) -> String {
    const LONGEST: usize = 2000;
    text.chars().filter(|character| *character != '\0').take(LONGEST).collect()
}

/// A text in a JSON value, by a JSON pointer. Empty ones say nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.trim().is_empty())
}

/// The same of a text or number.
pub fn shown(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::Number(number) => Some(number.to_string()),
        other => other.as_str().filter(|text| !text.trim().is_empty()).map(ToString::to_string),
    }
}

/// A moment: seconds since 1970, or RFC 3339.
pub fn moment(value: &Value, pointer: &str) -> Option<i64> {
    match value.pointer(pointer)? {
        #[allow(clippy::cast_possible_truncation)]
        // whole seconds are meant, and what is out of range is no moment of ours
        Value::Number(number) => number.as_f64().map(|seconds| seconds as i64),
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp()),
        _ => None,
    }
}

/// Those that are there, with a space between them.
pub fn joined<const N: usize>(parts: [Option<&str>; N]) -> Option<String> {
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    if parts.is_empty() { None } else { Some(parts.join(" ")) }
}

/// `MailboxFull` as words: mailbox full.
pub fn words(name: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for character in name.chars() {
        if character.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
        before = character;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        assert_eq!(words("MailboxFull"), "mailbox full");
        assert_eq!(words("SMTPApiError"), "smtpapi error");
        assert_eq!(words("DMARCPolicy"), "dmarcpolicy");
        assert_eq!(words("Spam Content"), "spam content");
        assert_eq!(words(""), "");
    }

    #[test]
    fn an_event_names_its_message_and_itself() {
        let said = || (Status::Bounced, Some("a\0b ".to_string()), None);
        let of = |message, provider, id: Option<&str>| {
            Event::report(said(), message, provider, id.map(ToString::to_string), Some(1000))
        };
        assert!(matches!(of(None, Some(" "), Some("e")), Report::Malformed(_)));
        assert!(matches!(of(Some("m"), None, None), Report::Malformed(_)));
        let Report::Event(event) = of(None, Some("p"), Some("e")) else { panic!("an event") };
        assert_eq!((event.error.as_deref(), event.provider_message_id.as_deref()), (Some("ab"), Some("p")));
        for (now, is_young) in [(1000, true), (1899, true), (1900, false), (701, true), (700, true), (699, false)] {
            assert_eq!(event.is_within(900, now), is_young, "{now}");
        }
        assert!(!Event { at: None, ..event }.is_within(900, 1000), "nobody knows when");
    }

    #[test]
    fn a_moment_is_seconds_or_as_rfc_3339_has_it() {
        let of = |value: Value| moment(&serde_json::json!({ "at": value }), "/at");
        assert_eq!(of(1_795_694_400.into()), Some(1_795_694_400));
        assert_eq!(of(1_795_694_400.9.into()), Some(1_795_694_400));
        assert_eq!(of("2026-11-26T12:00:00Z".into()), Some(1_795_694_400));
        assert_eq!(of("2026-11-26T13:00:00.9070259+01:00".into()), Some(1_795_694_400));
        assert_eq!([of("now".into()), of(Value::Null), of(true.into())], [None; 3]);
    }
}
