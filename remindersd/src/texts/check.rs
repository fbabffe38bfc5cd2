//! `remindersd check-templates`: what is wrong with templates, before anybody gets a message that says so.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use minijinja::ErrorKind;
use uuid::Uuid;

use super::formats::Formats;
use super::kinds::{Kind, Part};
use super::library::{Language, Library, Origin, Template};
use super::{Texts, locales, reason, samples};
use crate::config;

/// What organizations have stored, as the database has it.
pub type StoredTemplates = HashMap<Uuid, Vec<Template>>;

/// All that is wrong with the templates of a directory and with what is stored over it, or with the shipped ones: `file:line: reason`. Of each kind of
/// message the first mistake.
pub fn check(directory: Option<&Path>, stored: StoredTemplates) -> Result<BTreeSet<String>, String> {
    let (mut library, strangers) = Library::load(directory)?;
    let mut complaints: BTreeSet<String> =
        strangers.into_iter().map(|(file, why)| format!("{}: {why}", file.display())).collect();
    for (organization, rows) in stored {
        complaints.extend(library.store(organization, rows).unwrap_or_default());
    }
    complaints.extend(syntax(&library));
    complaints.extend(library.unused().into_iter().map(|(file, why)| format!("{}: {why}", file.display())));
    let settings = config::Texts { directory: directory.map(Path::to_path_buf), ..config::Texts::default() };
    let mut texts = Texts::of(library, &settings);
    for links in [example_links(), super::Links::default()] {
        texts.links = links;
        complaints.extend(rendered(&texts));
    }
    Ok(complaints)
}

/// What is no template at all.
pub fn syntax(library: &Library) -> Vec<String> {
    let mut complaints = BTreeSet::new();
    for (origin, locale) in scopes(library) {
        let Some(formats) = formats(&locale) else {
            complaints.insert(format!("{locale}: no locale whose dates and numbers are known"));
            continue;
        };
        for kind in Kind::ALL {
            let language = library.language(origin, Some(&locale), kind);
            let (_, errors) = library.engine(origin, &language, formats.clone());
            for error in &errors {
                let (place, error) = place(library, origin, &language, kind, error);
                complaints.insert(format!("{place}: {}", reason(error)));
            }
        }
    }
    complaints.into_iter().collect()
}

/// What fails when it is told to somebody.
fn rendered(texts: &Texts) -> BTreeSet<String> {
    let mut complaints = BTreeSet::new();
    let library = &texts.library;
    for (origin, locale) in scopes(library) {
        for kind in Kind::ALL {
            for (sample, message) in samples::every(kind, &locale) {
                let Err(error) = texts.told(&message, kind, origin, Some(&locale), samples::now()) else {
                    continue;
                };
                let language = library.language(origin, Some(&locale), kind);
                let (place, error) = place(library, origin, &language, kind, &error);
                // What is no template was told already.
                if error.kind() != ErrorKind::TemplateNotFound
                    || library.source(origin, &language, error.name().unwrap_or_default()).is_some()
                {
                    complaints.insert(format!("{place}: {} (sample: {sample})", reason(error)));
                }
                // The others would most often say the same.
                break;
            }
        }
    }
    complaints
}

fn scopes(library: &Library) -> Vec<(Origin, String)> {
    let origins = library.all_origins().into_iter();
    origins.flat_map(|origin| library.locales_of(origin).into_iter().map(move |locale| (origin, locale))).collect()
}

fn formats(locale: &str) -> Option<Arc<Formats>> {
    Formats::new(&locales::of_text(locale, None)).ok().map(Arc::new)
}

/// Where an error is, and the innermost of those within each other (an included template, a macro), which says so.
pub fn place<'a>(
    library: &Library,
    origin: Origin,
    language: &Language,
    kind: Kind,
    error: &'a minijinja::Error,
) -> (String, &'a minijinja::Error) {
    let mut innermost = error;
    while let Some(inner) =
        std::error::Error::source(innermost).and_then(|error| error.downcast_ref::<minijinja::Error>())
    {
        innermost = inner;
    }
    // Of a subject that comes out empty no template says it.
    let subject = Part::Subject.file(kind);
    let name = innermost.name().or(error.name()).unwrap_or(&subject);
    let file = library
        .source(origin, language, name)
        .map_or_else(|| name.to_string(), |source| source.file.display().to_string());
    let line = innermost.line().or(error.line()).unwrap_or(1);
    (format!("{file}:{line}"), innermost)
}

pub fn example_links() -> super::Links {
    super::Links {
        assignment: Some("https://app.example.org/assignments/{assignment_id}".to_string()),
        assignments: Some("https://app.example.org/assignments".to_string()),
        unsubscribe: Some("https://reminders.example.org/unsubscribe/{token}?type={type}".to_string()),
    }
}
