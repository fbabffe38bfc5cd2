//! The texts of messages: a plain placeholder, in English, until templates take its place.

use serde::Deserialize;

use crate::config;
use crate::deliver::message::{Item, Message};

/// Where a message leads: templates of URLs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// `{assignment_id}` is put in.
    pub assignment: Option<String>,
    pub assignments: Option<String>,
    /// `{token}` is put in.
    pub unsubscribe: Option<String>,
}

/// What a message says.
pub struct Rendered {
    pub locale: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub struct Texts {
    links: Links,
}

impl Texts {
    #[allow(clippy::unnecessary_wraps)] // templates may be wrong
    pub fn new(config: &config::Texts) -> Result<Self, Vec<String>> {
        Ok(Self { links: config.links.clone() })
    }

    pub fn render(&self, message: &Message) -> Result<Rendered, Error> {
        let first = message.items.first().ok_or_else(|| Error("a message without items".to_string()))?;
        let subject = match message.items.len() {
            1 => line(first),
            number => format!("{number} reminders"),
        };
        let mut text = format!("Hello {},\n\n", message.recipient_name.as_deref().unwrap_or("there"));
        for item in &message.items {
            text.push_str(&line(item));
            text.push('\n');
        }
        if let (Some(link), Some(token)) = (&self.links.unsubscribe, &message.unsubscribe_token) {
            text.push_str("\n-- \n");
            text.push_str(&link.replace("{token}", token));
            text.push('\n');
        }
        let html = format!("<!DOCTYPE html><html lang=\"en\"><body><pre>{}</pre></body></html>", escaped(&text));
        Ok(Rendered { locale: "en".to_string(), subject, text, html })
    }
}

fn line(item: &Item) -> String {
    let title = item.assignment_title.as_deref().unwrap_or("-");
    format!("{}: {title}", item.reminder_type)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
