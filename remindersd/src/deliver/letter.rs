//! A message as mail. Whatever a row holds, its headers are the library's: nothing in it makes one, and none of it fails but an address that is none.

use lettre::Message as Mail;
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::message::Message;
use super::smtp::Envelope;
use crate::texts::Rendered;

/// A name, and a subject, of no more characters: a line of mail has 998 bytes, and people read less.
const LONGEST_NAME: usize = 120;
const LONGEST_SUBJECT: usize = 240;

/// Who sends an organization's messages.
#[derive(Clone)]
pub struct Sender {
    /// Without a name: the organization's.
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
}

pub struct Letter {
    pub envelope: Envelope,
    pub message_id: String,
    pub bytes: Vec<u8>,
}

/// Why no mail can be made of a message.
#[derive(Debug)]
pub struct Unwritable(pub String);

impl Letter {
    pub fn new(message: &Message, rendered: &Rendered, sender: &Sender) -> Result<Self, Unwritable> {
        let written = message.recipient_email.as_deref().unwrap_or_default();
        let to = address(written).map_err(Unwritable)?;
        let from = Mailbox::new(
            sender.from.name.as_deref().or(message.organization_name.as_deref()).and_then(name),
            sender.from.email.clone(),
        );
        let domain = sender.from.email.domain();
        let message_id = format!("<{}@{domain}>", message.idempotency_key);
        let mut builder = Mail::builder()
            .from(from)
            .to(Mailbox::new(message.recipient_name.as_deref().and_then(name), to.clone()))
            .subject(shortened(&rendered.subject, LONGEST_SUBJECT))
            .date_now()
            .raw_header(verbatim("Message-ID", message_id.clone()))
            .raw_header(verbatim("Auto-Submitted", "auto-generated".to_string()))
            .raw_header(verbatim("Content-Language", rendered.locale.clone()))
            .raw_header(verbatim("Idempotency-Key", message.idempotency_key.clone()))
            .raw_header(verbatim("List-Id", format!("<{}.reminders.{domain}>", message.organization_id)));
        if let Some(reply_to) = &sender.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        if let Some(link) = &rendered.unsubscribe {
            // Mail programs post to it (RFC 8058). Of all types, since a message may be of several.
            builder = builder
                .raw_header(verbatim("List-Unsubscribe", format!("<{link}>")))
                .raw_header(verbatim("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_string()));
        }
        let parts = MultiPart::alternative_plain_html(printable(&rendered.text), printable(&rendered.html));
        let mail = builder.multipart(parts).map_err(|error| Unwritable(error.to_string()))?;
        let envelope = Envelope { from: sender.from.email.clone(), to };
        Ok(Self { envelope, message_id, bytes: mail.formatted() })
    }
}

/// Its domain by IDNA; its local part may be beyond ASCII.
pub fn address(written: &str) -> Result<Address, String> {
    let wrong = |why: &str| format!("no mail can be written to {written:?}: {why}");
    if written.is_empty() {
        return Err("there is no address".to_string());
    }
    if written.chars().any(|character| character.is_control() || character.is_whitespace()) {
        return Err(wrong("it holds spaces or control characters"));
    }
    let (local, domain) = written.rsplit_once('@').ok_or_else(|| wrong("it has no @"))?;
    let domain = if domain.is_ascii() {
        domain.to_string()
    } else {
        idna::domain_to_ascii(domain).map_err(|_| wrong("its domain is none"))?
    };
    Address::new(local, domain).map_err(|error| wrong(&error.to_string()))
}

/// A header of ours that is neither folded nor encoded, which programs that read it may not undo.
fn verbatim(name: &'static str, value: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    let is_plain = value.len() < 900 && value.chars().all(|character| character.is_ascii_graphic() || character == ' ');
    if is_plain {
        HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
    } else {
        HeaderValue::new(name, one_line(&value))
    }
}

fn name(text: &str) -> Option<String> {
    Some(shortened(text, LONGEST_NAME)).filter(|name| !name.is_empty())
}

fn shortened(text: &str, longest: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= longest {
        return text;
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// Without line breaks and control characters.
fn one_line(text: &str) -> String {
    let text = text.replace(|character: char| character.is_control(), " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t')).collect()
}

/// What the provider calls a message, where its answer says so: "2.0.0 Ok: queued as 4F2A1", or "Ok 0100018f-..." of SES.
pub fn provider_id(reply: &str) -> Option<&str> {
    const SAYS: &str = "queued as ";
    let id = if let Some(at) = reply.to_ascii_lowercase().find(SAYS) {
        reply.get(at + SAYS.len()..)?.split_whitespace().next()?
    } else {
        let mut words = reply.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("Ok"), Some(id), None) if id.len() >= 20 => id,
            _ => return None,
        }
    };
    let id = id.trim_matches(|character: char| "<>()[];,.\"'".contains(character));
    let is_id = id.chars().all(|character| character.is_ascii_alphanumeric() || "-_.@+=/".contains(character));
    Some(id).filter(|id| is_id && !id.is_empty() && id.len() <= 200)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn message() -> Message {
        Message {
            claim_id: Uuid::nil(),
            claimed_until: chrono::Utc::now(),
            idempotency_key: format!("digest-{}", "0".repeat(64)),
            organization_id: Uuid::nil(),
            organization_name: Some("Programme".to_string()),
            recipient_id: Uuid::nil(),
            recipient_email: Some("ann@example.org".to_string()),
            recipient_name: Some("Ann".to_string()),
            recipient_timezone: None,
            recipient_locale: None,
            unsubscribe_token: Some("ab".repeat(32)),
            reminder_ids: vec![Uuid::nil()],
            items: Vec::new(),
            summary: None,
        }
    }

    fn letter(message: &Message, subject: &str, text: &str) -> Result<String, Unwritable> {
        let sender =
            Sender { from: Mailbox::new(None, "reminders@example.org".parse().expect("an address")), reply_to: None };
        let rendered = Rendered {
            locale: "en".to_string(),
            subject: subject.to_string(),
            text: text.to_string(),
            html: format!("<p>{text}</p>"),
            unsubscribe: Some(format!("https://mail.example.org/unsubscribe/{}", "ab".repeat(32))),
        };
        Letter::new(message, &rendered, &sender).map(|letter| String::from_utf8(letter.bytes).expect("UTF-8"))
    }

    /// The names of the headers, before the first part.
    fn headers(mail: &str) -> Vec<&str> {
        let head = mail.split("\r\n\r\n").next().unwrap_or_default();
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split(':').next())
            .collect()
    }

    #[test]
    fn nothing_that_a_row_holds_makes_a_header_or_a_long_line() {
        let usual = letter(&message(), "Essay", "Hello").expect("a letter");
        for odd in [
            "Sam\r\nBcc: all@example.org",
            "Sam\n\n<script>",
            "Sam\u{0}\u{1b}[31m\u{7f}\u{85}\u{2028}Bcc: all@example.org",
            "\"Sam\" <all@example.org>, ",
            "مرحبا بالعالم \u{202e}gro.elpmaxe",
            "👩‍👩‍👧 Sam 🎉",
            "=?utf-8?q?Bcc=3A?=",
            &"x".repeat(1200),
            &"ø".repeat(1200),
            &"\u{202e}".repeat(300),
            "\r\n\r\n.\r\nMAIL FROM:<a@b>",
            "",
            "   ",
        ] {
            let mut message = message();
            message.recipient_name = Some(odd.to_string());
            message.organization_name = Some(odd.to_string());
            let mail = letter(&message, odd, odd).expect("a letter");
            assert_eq!(headers(&mail), headers(&usual), "{odd:?}");
            assert!(
                mail.is_ascii() && mail.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n']))
            );
        }
    }

    #[test]
    fn headers_that_programs_read_stand_on_one_line() {
        let mail = letter(&message(), "Essay", "Hello").expect("a letter");
        let (key, token) = (format!("digest-{}", "0".repeat(64)), "ab".repeat(32));
        for line in [
            format!("Message-ID: <{key}@example.org>"),
            format!("Idempotency-Key: {key}"),
            format!("List-Unsubscribe: <https://mail.example.org/unsubscribe/{token}>"),
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click".to_string(),
            "List-Id: <00000000-0000-0000-0000-000000000000.reminders.example.org>".to_string(),
            "Auto-Submitted: auto-generated".to_string(),
            "From: Programme <reminders@example.org>".to_string(),
        ] {
            assert!(mail.split("\r\n").any(|found| found == line), "{line}\n{mail}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_said_to_be_and_a_domain_goes_by_idna() {
        for none in [
            "",
            "a@[",
            "a",
            "@",
            "a@",
            "@example.org",
            "a,b@example.org",
            "a b@example.org",
            "a\r\nRCPT TO:<b@c>@example.org",
            "a@example.org\r\nBcc: b@c",
            "a@b@",
            "a@exa mple.org",
            "a@-.-",
            "a@..",
            "<a@example.org>",
            "a@example.org>",
            "\u{0}@example.org",
            &format!("{}@example.org", "a".repeat(1200)),
            &format!("a@{}.org", "b".repeat(1200)),
            "a@xn--",
            "a@\u{202e}.org",
        ] {
            assert!(address(none).is_err(), "{none:?} is {:?}", address(none));
        }
        for (written, sent) in [
            ("bo@exåmple.org", "bo@xn--exmple-jua.org"),
            ("ø@example.org", "ø@example.org"),
            ("o'neil+tag@example.org", "o'neil+tag@example.org"),
            ("a@[127.0.0.1]", "a@[127.0.0.1]"),
            ("a@EXAMPLE.org", "a@EXAMPLE.org"),
        ] {
            assert_eq!(address(written).expect(written).to_string(), sent);
        }
    }

    #[test]
    fn the_provider_s_own_id_is_read_where_its_answer_names_one() {
        for (reply, id) in [
            ("2.0.0 Ok: queued as 4F2A1B", Some("4F2A1B")),
            ("2.0.0 Ok: queued as <abc-1@mta.example.org>.", Some("abc-1@mta.example.org")),
            (
                "Ok 0100018f3c5e7a11-5d1c2b3a-0000-4000-8000-000000000000-000000",
                Some("0100018f3c5e7a11-5d1c2b3a-0000-4000-8000-000000000000-000000"),
            ),
            ("Ok", None),
            ("OK thanks", None),
            ("2.0.0 Ok: queued as ", None),
            ("2.0.0 Ok: queued as ø\u{0}", None),
            ("Great success", None),
            ("İqueued as İ queued as 1", None),
        ] {
            assert_eq!(provider_id(reply), id, "{reply}");
        }
    }
}
