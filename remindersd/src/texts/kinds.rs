//! The kinds of messages that there are words for, and the parts that each has.

use serde::Serialize;

use crate::deliver::message::{Item, Message};

/// What a message, or an item of a digest, is about. In a digest those that come first are the more urgent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Notice,
    Due,
    ContactEscalation,
    ContactReminder,
    General,
    DailySummary,
    Digest,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::ContactReminder,
        Self::ContactEscalation,
        Self::Due,
        Self::DailySummary,
        Self::Notice,
        Self::General,
        Self::Digest,
    ];

    /// As its files are called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContactReminder => "contact-reminder",
            Self::ContactEscalation => "contact-escalation",
            Self::Due => "due",
            Self::DailySummary => "daily-summary",
            Self::Notice => "notice",
            Self::General => "general",
            Self::Digest => "digest",
        }
    }

    pub fn of(item: &Item) -> Self {
        match item.reminder_type.as_str() {
            "contact-reminder" => Self::ContactReminder,
            "contact-escalation" => Self::ContactEscalation,
            "daily-summary" => Self::DailySummary,
            "held-run" | "failed-run" | "slow-run" | "missing-run" | "nothing-sent" => Self::Notice,
            name if item.due_at.is_some() && is_offset(name) => Self::Due,
            _ => Self::General,
        }
    }

    /// None where there is nothing to tell.
    pub fn of_message(message: &Message) -> Option<Self> {
        match message.items.as_slice() {
            [] => None,
            [item] => Some(Self::of(item)),
            _ => Some(Self::Digest),
        }
    }
}

/// Whether the database calls reminders of due dates so (is_reminder_type in its src/rules/due.rs): 24h, 2h, 1d, 0.5s. Whatever else somebody enqueues about an assignment is no such reminder, though
/// the assignment may have a due date.
fn is_offset(reminder_type: &str) -> bool {
    let number = reminder_type.strip_suffix(['d', 'h', 'm', 's']).unwrap_or_default();
    number.starts_with(|first: char| first.is_ascii_digit())
        && number.chars().all(|digit| digit.is_ascii_digit() || digit == '.')
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    pub fn file(self, kind: Kind) -> String {
        format!("{}.{}", kind.name(), self.extension())
    }
}

/// What every text of a locale shares: its phrases. Beside it what has no language: the layout of HTML, and what is shipped to be told in any, by phrases.
pub const PHRASES: &str = "phrases.jinja";
pub const LAYOUT: &str = "layout.html";
pub const SHARED: &str = "shared";

/// Whether a template of this name has no language.
pub fn is_of_no_language(name: &str) -> bool {
    name == LAYOUT || name.strip_prefix(SHARED).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether templates of a locale are called so.
pub fn is_file_of_locale(name: &str) -> bool {
    name == PHRASES || Kind::ALL.iter().any(|kind| Part::ALL.iter().any(|part| part.file(*kind) == name))
}
