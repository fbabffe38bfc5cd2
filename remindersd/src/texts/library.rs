//! Which templates there are: what is shipped, over it a directory, over that what it holds for an organization; and which of them a message is told by.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use minijinja::Environment;
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
}

/// Files that are no templates, and why.
pub type Strangers = Vec<(PathBuf, String)>;

/// Whose words a message is told in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Origin {
    /// The organization's, where it has its own, and the directory's.
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

    /// Whether anything lies over what is shipped.
    pub fn has_own(&self, organization: Uuid) -> bool {
        !self.directory.0.is_empty() || self.organizations.contains_key(&organization)
    }

    pub fn organizations(&self) -> impl Iterator<Item = Uuid> {
        self.organizations.keys().copied()
    }

    /// Every locale that somebody has written texts in.
    pub fn locales(&self) -> Vec<String> {
        let layers = [&self.shipped, &self.directory].into_iter().chain(self.organizations.values());
        let mut locales: Vec<String> =
            layers.flat_map(|layer| layer.0.keys()).filter(|name| !name.is_empty()).cloned().collect();
        locales.sort();
        locales.dedup();
        locales
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

    /// The best first.
    fn layers(&self, origin: Origin) -> Vec<&Layer> {
        let own = match origin {
            Origin::Shipped => return vec![&self.shipped],
            Origin::Own(organization) => organization.and_then(|id| self.organizations.get(&id)),
        };
        own.into_iter().chain([&self.directory, &self.shipped]).collect()
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
