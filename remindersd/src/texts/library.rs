//! Which templates there are: what is shipped, over it a directory, over that what it holds for an organization, and over all what an organization's
//! coordinators have stored in the database; and which of them a message is told by.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use minijinja::Environment;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::engine::{self, Engine};
use super::formats::Formats;
use super::kinds::{self, Kind, Part};
use super::locales;

static SHIPPED: Dir = include_dir!("$CARGO_MANIFEST_DIR/texts");
/// In a directory: what it holds for one organization alone.
const ORGANIZATIONS: &str = "organizations";

/// A template, and where it stands.
pub struct Source {
    pub text: String,
    pub file: PathBuf,
}

/// By locale, and by name. What has no language stands by the empty one.
#[derive(Default)]
pub struct Layer(BTreeMap<String, BTreeMap<String, Source>>);

#[derive(Default)]
pub struct Library {
    shipped: Layer,
    directory: Layer,
    organizations: HashMap<Uuid, Layer>,
    stored: HashMap<Uuid, Stored>,
}

/// A row of message_templates.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Template {
    pub locale: String,
    pub name: String,
    pub body: String,
}

/// What an organization's rows came to.
struct Stored {
    rows: Vec<Template>,
    layer: Layer,
}

/// Files that are no templates, and why.
pub type Strangers = Vec<(PathBuf, String)>;

/// Whose words a message is told in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Origin {
    /// What the organization's coordinators stored, over the directory's.
    Stored(Uuid),
    /// The organization's in the directory, where it has its own, and the directory's.
    Own(Option<Uuid>),
    Shipped,
}

/// The locales whose files are taken, the best first: one text is told in what lies over each other.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Language(Vec<String>);

impl Language {
    pub fn name(&self) -> &str {
        self.0.first().map_or(locales::LAST, String::as_str)
    }

    fn english() -> Self {
        Self(vec![locales::LAST.to_string()])
    }
}

impl Library {
    /// What is shipped, and the directory over it. What is no template is told, and left out.
    pub fn load(directory: Option<&Path>) -> Result<(Self, Strangers), String> {
        let mut library = Self { shipped: shipped(), ..Self::default() };
        let mut strangers = Vec::new();
        let Some(directory) = directory else { return Ok((library, strangers)) };
        library.directory = Layer::read(directory, &mut strangers)?;
        for (name, path) in entries(&directory.join(ORGANIZATIONS)).unwrap_or_default() {
            match name.parse() {
                Ok(organization) if path.is_dir() => {
                    library.organizations.insert(organization, Layer::read(&path, &mut strangers)?);
                }
                _ => strangers.push((path, "no directory of an organization: its id is to be its name".to_string())),
            }
        }
        strangers.sort();
        Ok((library, strangers))
    }

    /// Takes an organization's rows instead of those that it had. What of them cannot be read is left out, and returned: `locale/name:line: reason`.
    /// None where they are the same as before.
    pub fn store(&mut self, organization: Uuid, rows: Vec<Template>) -> Option<Vec<String>> {
        if self.stored.get(&organization).map_or(&[][..], |stored| &stored.rows) == rows {
            return None;
        }
        if rows.is_empty() {
            self.stored.remove(&organization);
            return Some(Vec::new());
        }
        let (layer, complaints) = Layer::of_rows(organization, &rows);
        self.stored.insert(organization, Stored { rows, layer });
        Some(complaints)
    }

    /// Whose words an organization's messages are told in, the best first; without those that have none.
    pub fn origins(&self, organization: Uuid) -> Vec<Origin> {
        let own = self.organizations.contains_key(&organization);
        let mut origins = Vec::new();
        if self.stored.contains_key(&organization) {
            origins.push(Origin::Stored(organization));
        }
        if own || !self.directory.0.is_empty() {
            // Organizations without words of their own share what is prepared.
            origins.push(Origin::Own(own.then_some(organization)));
        }
        origins.push(Origin::Shipped);
        origins
    }

    /// Every one that is not what is shipped alone.
    pub fn all_origins(&self) -> Vec<Origin> {
        let own = [Origin::Own(None)].into_iter().chain(self.organizations.keys().map(|id| Origin::Own(Some(*id))));
        own.chain(self.stored.keys().map(|id| Origin::Stored(*id))).collect()
    }

    /// Every locale that somebody has written texts in.
    pub fn locales(&self) -> Vec<String> {
        let locales: BTreeSet<String> =
            self.all_origins().into_iter().flat_map(|origin| self.locales_of(origin)).collect();
        locales.into_iter().collect()
    }

    /// Those that an organization's messages may be told in.
    pub fn locales_of(&self, origin: Origin) -> BTreeSet<String> {
        let names = self.layers(origin).into_iter().flat_map(|layer| layer.0.keys());
        names.filter(|name| !name.is_empty()).cloned().collect()
    }

    /// What a kind is told in: the first locale of the chain that has texts, if all of that kind is there, or else English.
    pub fn language(&self, origin: Origin, locale: Option<&str>, kind: Kind) -> Language {
        let chain = locales::chain(locale);
        let has_texts = |name: &String| self.layers(origin).iter().any(|layer| layer.0.contains_key(name));
        let mut names: Vec<String> = chain.into_iter().skip_while(|name| !has_texts(name)).collect();
        if names.len() > 1 {
            // No sentence of English among those of another language.
            names.retain(|name| name != locales::LAST);
        }
        let language = Language(names);
        let is_complete = self.source(origin, &language, kinds::PHRASES).is_some()
            && Part::ALL.iter().all(|part| self.source(origin, &language, &part.file(kind)).is_some());
        if is_complete { language } else { Language::english() }
    }

    /// The template of that name.
    pub fn source(&self, origin: Origin, language: &Language, name: &str) -> Option<&Source> {
        let none = [String::new()];
        let names: &[String] = if kinds::is_of_no_language(name) { &none } else { &language.0 };
        let layers = self.layers(origin);
        names.iter().find_map(|locale| layers.iter().find_map(|layer| layer.0.get(locale)?.get(name)))
    }

    /// Templates that nothing is told by, since their language lacks what every text of it needs.
    pub fn unused(&self) -> Strangers {
        let mut unused = Strangers::new();
        for origin in self.all_origins() {
            let Some(layer) = self.layers(origin).first().copied() else { continue };
            for (locale, sources) in layer.0.iter().filter(|(locale, _)| !locale.is_empty()) {
                for kind in Kind::ALL {
                    let language = self.language(origin, Some(locale), kind);
                    if language.0.contains(locale) {
                        continue;
                    }
                    for part in Part::ALL {
                        if let Some(source) = sources.get(&part.file(kind)) {
                            let why = format!(
                                "nothing is told by it: {locale} has no {}, or not all three parts of this kind",
                                kinds::PHRASES
                            );
                            unused.push((source.file.clone(), why));
                        }
                    }
                }
            }
        }
        unused
    }

    /// The best first.
    fn layers(&self, origin: Origin) -> Vec<&Layer> {
        let (organization, stored) = match origin {
            Origin::Shipped => return vec![&self.shipped],
            Origin::Own(organization) => (organization, None),
            Origin::Stored(id) => (Some(id), self.stored.get(&id).map(|stored| &stored.layer)),
        };
        let own = organization.and_then(|id| self.organizations.get(&id));
        stored.into_iter().chain(own).chain([&self.directory, &self.shipped]).collect()
    }

    /// All that texts of a language are made of, and what cannot be read in it.
    pub fn engine(
        &self,
        origin: Origin,
        language: &Language,
        formats: Arc<Formats>,
    ) -> (Engine, Vec<minijinja::Error>) {
        let mut environment: Environment<'static> = engine::environment(formats.clone());
        let mut errors = Vec::new();
        let mut names = vec![kinds::PHRASES.to_string()];
        names.extend(self.shipped.0.get("").into_iter().flat_map(|shared| shared.keys().cloned()));
        names.extend(Kind::ALL.iter().flat_map(|kind| Part::ALL.iter().map(|part| part.file(*kind))));
        for name in names {
            if let Some(source) = self.source(origin, language, &name)
                && let Err(error) = environment.add_template_owned(name, source.text.clone())
            {
                errors.push(error);
            }
        }
        (Engine { environment, formats }, errors)
    }
}

impl Layer {
    fn read(directory: &Path, strangers: &mut Strangers) -> Result<Self, String> {
        let mut layer = Self::default();
        for (name, path) in entries(directory)? {
            if !path.is_dir() {
                if name == kinds::LAYOUT {
                    layer.add("", name, path, strangers);
                } else if !is_documentation(&name) {
                    strangers.push((
                        path,
                        format!("no template: here are {} and the directories of locales", kinds::LAYOUT),
                    ));
                }
            } else if let Some(locale) = locales::parsed(&name).map(|locale| locale.to_string()) {
                for (file, path) in entries(&path)? {
                    if kinds::is_file_of_locale(&file) && path.is_file() {
                        layer.add(&locale, file, path, strangers);
                    } else if !is_documentation(&file) {
                        strangers.push((path, "no template: no kind of message has a part of this name".to_string()));
                    }
                }
            } else if name != ORGANIZATIONS {
                strangers.push((path, "no directory of a locale, such as nb or pt-BR".to_string()));
            }
        }
        Ok(layer)
    }

    /// What can be read of an organization's rows, and what is wrong with the others.
    fn of_rows(organization: Uuid, rows: &[Template]) -> (Self, Vec<String>) {
        let (mut layer, mut complaints) = (Self::default(), Vec::new());
        let syntax = engine::syntax_only();
        for Template { locale, name, body } in rows {
            let file: PathBuf = ["message_templates", &organization.to_string(), locale, name].iter().collect();
            let known = match locales::parsed(locale).map(|locale| locale.to_string()) {
                None if locale.is_empty() && name == kinds::LAYOUT => Some(String::new()),
                Some(locale) if kinds::is_file_of_locale(name) => Some(locale),
                _ => None,
            };
            let Some(known) = known else {
                complaints.push(format!(
                    "{}: no kind of message has a part of this name, or there is no such locale",
                    file.display()
                ));
                continue;
            };
            if let Err(error) = syntax.template_from_named_str(name, body) {
                let line = error.line().unwrap_or(1);
                complaints.push(format!("{}:{line}: {}", file.display(), super::reason(&error)));
                continue;
            }
            layer.0.entry(known).or_default().insert(name.clone(), Source { text: body.clone(), file });
        }
        (layer, complaints)
    }

    fn add(&mut self, locale: &str, name: String, file: PathBuf, strangers: &mut Strangers) {
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                self.0.entry(locale.to_string()).or_default().insert(name, Source { text, file });
            }
            Err(error) => strangers.push((file, format!("cannot be read: {error}"))),
        }
    }
}

fn is_documentation(name: &str) -> bool {
    name.starts_with('.') || Path::new(name).extension().is_some_and(|extension| extension == "md")
}

/// In order of their names.
fn entries(directory: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    entries.sort();
    Ok(entries)
}

fn shipped() -> Layer {
    let mut layer = Layer::default();
    let files = SHIPPED.files().chain(SHIPPED.dirs().flat_map(Dir::files));
    for file in files {
        let whole = file.path().to_string_lossy().into_owned();
        let (locale, name) = match whole.split_once('/') {
            Some((locale, name)) if !kinds::is_of_no_language(&whole) => (locale.to_string(), name.to_string()),
            _ => (String::new(), whole),
        };
        let is_template = kinds::is_of_no_language(&name) || kinds::is_file_of_locale(&name);
        if let (true, Some(text)) = (is_template, file.contents_utf8()) {
            let source = Source { text: text.to_string(), file: Path::new("texts").join(file.path()) };
            layer.0.entry(locale).or_default().insert(name, source);
        }
    }
    layer
}
