//! `remindersd check-templates`: what is wrong with templates, before anybody gets a message that says so.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::formats::Formats;
use super::kinds::Kind;
use super::library::{Language, Library, Origin};
use super::{Texts, locales, reason, samples};
use crate::config;

/// All that is wrong with the templates of a directory, or of the shipped ones: `file:line: reason`.
pub fn check(directory: Option<&Path>) -> Result<BTreeSet<String>, String> {
    let (library, strangers) = Library::load(directory)?;
    let mut complaints: BTreeSet<String> =
        strangers.into_iter().map(|(file, why)| format!("{}: {why}", file.display())).collect();
    let wrong = syntax(&library);
    if !wrong.is_empty() {
        // What cannot be read cannot be tried either.
        complaints.extend(wrong);
        return Ok(complaints);
    }
    let settings =
        |links| config::Texts { directory: directory.map(Path::to_path_buf), links, ..config::Texts::default() };
    for links in [example_links(), super::Links::default()] {
        let texts = Texts::new(&settings(links)).map_err(|errors| errors.join("\n"))?;
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
            complaints.extend(errors.iter().map(|error| located(library, origin, &language, error, None)));
        }
    }
    complaints.into_iter().collect()
}

/// What fails when it is told to somebody.
fn rendered(texts: &Texts) -> BTreeSet<String> {
    let mut complaints = BTreeSet::new();
    for (origin, locale) in scopes(&texts.library) {
        for kind in Kind::ALL {
            for (sample, message) in samples::every(kind, &locale) {
                if let Err(error) = texts.told(&message, kind, origin, Some(&locale), samples::now()) {
                    let language = texts.library.language(origin, Some(&locale), kind);
                    complaints.insert(located(&texts.library, origin, &language, &error, Some(&sample)));
                    // The others would most often say the same.
                    break;
                }
            }
        }
    }
    complaints
}

fn scopes(library: &Library) -> Vec<(Origin, String)> {
    let origins = [Origin::Own(None)].into_iter().chain(library.organizations().map(|id| Origin::Own(Some(id))));
    let locales = library.locales();
    origins.flat_map(|origin| locales.iter().map(move |locale| (origin, locale.clone()))).collect()
}

fn formats(locale: &str) -> Option<Arc<Formats>> {
    Formats::new(&locales::of_text(locale, None)).ok().map(Arc::new)
}

/// Of an error within another one (an included template, a macro), the innermost says where it is.
fn located(
    library: &Library,
    origin: Origin,
    language: &Language,
    error: &minijinja::Error,
    sample: Option<&str>,
) -> String {
    let mut innermost = error;
    while let Some(inner) =
        std::error::Error::source(innermost).and_then(|error| error.downcast_ref::<minijinja::Error>())
    {
        innermost = inner;
    }
    let name = innermost.name().or(error.name()).unwrap_or_default();
    let file = library
        .source(origin, language, name)
        .map_or_else(|| name.to_string(), |source| source.file.display().to_string());
    let line = innermost.line().or(error.line()).unwrap_or(1);
    let sample = sample.map(|sample| format!(" (sample: {sample})")).unwrap_or_default();
    format!("{file}:{line}: {}{sample}", reason(innermost))
}

pub fn example_links() -> super::Links {
    super::Links {
        assignment: Some("https://app.example.org/assignments/{assignment_id}".to_string()),
        assignments: Some("https://app.example.org/assignments".to_string()),
        unsubscribe: Some("https://reminders.example.org/unsubscribe/{token}?type={type}".to_string()),
    }
}
