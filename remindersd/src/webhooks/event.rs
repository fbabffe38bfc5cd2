//! One event of a provider's, in the database's words (record_delivery_event).

use serde_json::Value;

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
    ) -> Report {
        let some = |id: Option<&str>| id.map(str::trim).filter(|id| !id.is_empty()).map(storable);
        let (message_id, provider_message_id) = (some(message_id), some(provider_message_id));
        if message_id.is_none() && provider_message_id.is_none() {
            return Report::Malformed("an event names no message");
        }
        let Some(event_id) = event_id else { return Report::Malformed("an event has no id") };
        let id = storable(&event_id);
        let error = error.as_deref().map(|error| storable(error.trim())).filter(|error| !error.is_empty());
        Report::Event(Self { status, message_id, provider_message_id, id, error, permanent })
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
        let of =
            |message, provider, id: Option<&str>| Event::report(said(), message, provider, id.map(ToString::to_string));
        assert!(matches!(of(None, Some(" "), Some("e")), Report::Malformed(_)));
        assert!(matches!(of(Some("m"), None, None), Report::Malformed(_)));
        let Report::Event(event) = of(None, Some("p"), Some("e")) else { panic!("an event") };
        assert_eq!((event.error.as_deref(), event.provider_message_id.as_deref()), (Some("ab"), Some("p")));
    }
}
