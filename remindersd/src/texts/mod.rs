//! The words of messages: templates for each kind, locale and organization, over those that are shipped.

mod check;
mod engine;
mod formats;
mod kinds;
mod library;
mod links;
mod locales;
mod preview;
mod samples;
mod sandbox;
#[cfg(test)]
mod tests;
mod views;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::check::{StoredTemplates, check};
pub use self::kinds::Kind;
pub use self::library::Template;
pub use self::links::Links;
pub use self::preview::{Wish, preview, stored};
pub use self::sandbox::{COMMAND, Sandbox, serve};

use self::engine::{Engine, Parts};
use self::formats::{Formats, Zone};
use self::library::{Language, Library, Origin};
use self::views::Teller;
use crate::config;
use crate::deliver::message::Message;

/// More locales than anybody has people of: beyond it what was prepared is prepared again.
const PREPARED: usize = 200;

/// A message in words.
#[derive(Debug, Deserialize, Serialize)]
pub struct Rendered {
    /// Of the text.
    pub locale: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The link by which its recipient wants no more of anything.
    pub unsubscribe: Option<String>,
}

#[derive(Debug)]
pub enum Error {
    /// The message has no item.
    Nothing,
    /// Not even what is shipped could be rendered.
    Template(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str("the message is about nothing"),
            Self::Template(error) => formatter.write_str(error),
        }
    }
}

impl std::error::Error for Error {}

/// The templates, and how they are filled in.
pub struct Texts {
    library: Library,
    links: Links,
    lines: usize,
    prepared: Mutex<HashMap<Key, Arc<Engine>>>,
    /// What was said of templates that fail, which is not said of every message.
    said: Mutex<HashSet<String>>,
}

/// Whose words, in which language, written as in which locale.
type Key = (Origin, Language, String);

impl Texts {
    /// What is shipped, and the configured directory over it; or all that is wrong with it.
    pub fn new(config: &config::Texts) -> Result<Self, Vec<String>> {
        let mut complaints = config.links.complaints();
        if config.lines == 0 {
            complaints.push("configuration: texts.lines is 0: digests would say nothing".to_string());
        }
        let loaded = Library::load(config.directory.as_deref())
            .map_err(|error| complaints.push(format!("configuration: texts.directory: {error}")));
        let (library, strangers) = loaded.unwrap_or_default();
        for (file, why) in strangers {
            tracing::warn!(file = %file.display(), "{why}");
        }
        complaints.extend(check::syntax(&library));
        if complaints.is_empty() { Ok(Self::of(library, config)) } else { Err(complaints) }
    }

    fn of(library: Library, config: &config::Texts) -> Self {
        Self {
            library,
            links: config.links.clone(),
            lines: config.lines,
            prepared: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// Takes what an organization's coordinators stored. What of it cannot be read is left out, and told, once.
    pub fn store(&mut self, organization: Uuid, rows: Vec<Template>) {
        let Some(complaints) = self.library.store(organization, rows) else { return };
        let prepared = self.prepared.get_mut().unwrap_or_else(PoisonError::into_inner);
        prepared.retain(|(origin, ..), _| *origin != Origin::Stored(organization));
        self.said.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        for complaint in complaints {
            tracing::warn!("a template is left out: {complaint}");
        }
    }

    /// A message in its recipient's language. What fails in a template of somebody's own is told by the one that is shipped.
    pub fn render(&self, message: &Message) -> Result<Rendered, Error> {
        self.render_at(message, Utc::now())
    }

    fn render_at(&self, message: &Message, now: DateTime<Utc>) -> Result<Rendered, Error> {
        let kind = Kind::of_message(message).ok_or(Error::Nothing)?;
        let locale = message.recipient_locale.as_deref();
        for origin in self.library.origins(message.organization_id) {
            match self.told(message, kind, origin, locale, now) {
                Ok(rendered) => return Ok(rendered),
                Err(error) => {
                    let language = self.library.language(origin, locale, kind);
                    let (place, error) = check::place(&self.library, origin, &language, kind, &error);
                    // What it says besides may be the value that it failed of.
                    let what = format!("{place}: {}", error.kind());
                    let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                    if said.len() < PREPARED && said.insert(what.clone()) {
                        tracing::warn!(
                            organization = %message.organization_id, "a template failed, and another tells the message: {what}"
                        );
                    }
                    tracing::debug!("{place}: {}", reason(error));
                }
            }
        }
        self.told(message, kind, Origin::Shipped, None, now).map_err(|error| Error::Template(reason(&error)))
    }

    /// By these words, and no others.
    fn told(
        &self,
        message: &Message,
        kind: Kind,
        origin: Origin,
        locale: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Rendered, minijinja::Error> {
        let language = self.library.language(origin, locale, kind);
        let written = locales::of_text(language.name(), locale);
        let formats = || {
            Formats::new(&written).map_err(|error| {
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("locale {written}: {error}"))
            })
        };
        let zone = Zone::of(message.recipient_timezone.as_deref());
        let teller = Teller { links: &self.links, lines: self.lines, now, zone };
        let lang = language.name().to_string();
        let direction = locales::direction(&locales::of_text(&lang, None));
        let key = (origin, language, written.to_string());
        let found = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let engine = if let Some(engine) = found {
            engine
        } else {
            let (engine, _) = self.library.engine(origin, &key.1, Arc::new(formats()?));
            let engine = Arc::new(engine);
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            if prepared.len() >= PREPARED {
                prepared.clear();
            }
            prepared.insert(key, engine.clone());
            engine
        };
        let view = teller.view(message, kind, lang.clone(), direction, engine.formats.zone(zone, now));
        let Parts { subject, text, html } = engine.render(&view, kind)?;
        let unsubscribe = message.unsubscribe_token.as_deref().and_then(|token| self.links.unsubscribe(token, None));
        Ok(Rendered { locale: lang, subject, text, html, unsubscribe })
    }
}

/// What went wrong in a template, down to what made it so.
fn reason(error: &minijinja::Error) -> String {
    let mut reason =
        error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        reason = format!("{reason}: {error}");
        source = error.source();
    }
    reason
}
