//! The template engine: what templates may do, which is to write text of what they are given, and no more of it than they have fuel for.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, escape_formatter};

use super::formats::Formats;
use super::kinds::{Kind, Part};
use super::views::{View, one_line};

/// One for an instruction, and for 64 bytes that are written: a hundred times what the shipped texts need.
const FUEL: u64 = 200_000;
/// So deep may macros call each other.
const DEPTH: usize = 50;
/// What mail programs show of a subject is shorter still.
const LONGEST_SUBJECT: usize = 180;

/// The templates of one language, and how its people write dates.
pub struct Engine {
    pub environment: Environment<'static>,
    pub formats: Arc<Formats>,
}

/// The parts of a message.
pub struct Parts {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Engine {
    pub fn render(&self, view: &View, kind: Kind) -> Result<Parts, Error> {
        let view = Value::from(Serde(view));
        let part = |part: Part, context: Value| self.environment.get_template(&part.file(kind))?.render(context);
        let subject = one_line(&part(Part::Subject, view.clone())?, LONGEST_SUBJECT)
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{} is empty", Part::Subject.file(kind))))?;
        let text = part(Part::Text, view.clone())?;
        let html = part(Part::Html, minijinja::context! { subject => &subject, ..view })?;
        for (part, words) in [(Part::Text, &text), (Part::Html, &html)] {
            if words.trim().is_empty() {
                return Err(Error::new(ErrorKind::InvalidOperation, format!("{} is empty", part.file(kind))));
            }
        }
        Ok(Parts { subject, text: tidy(&text), html })
    }
}

/// No more than one empty line, and none at the ends.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && (tidy.is_empty() || tidy.ends_with("\n\n"))) {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    tidy.truncate(tidy.trim_end().len());
    tidy.push('\n');
    tidy
}

/// What tells whether a text is a template.
pub fn syntax_only() -> Environment<'static> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_debug(true);
    environment
}

pub fn environment(formats: Arc<Formats>) -> Environment<'static> {
    let mut environment = syntax_only();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.set_auto_escape_callback(|name| {
        if std::path::Path::new(name).extension().is_some_and(|extension| extension == "html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    // "Hello none" is a mistake, too.
    environment.set_formatter(|out, state, value| {
        if value.is_none() {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "there is no value here to show: ask first by {% if %}",
            ));
        }
        match value.as_str() {
            Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => escape(out, text),
            _ => escape_formatter(out, state, value),
        }
    });
    environment.remove_global("debug");
    let told = formats.clone();
    environment.add_filter("date", move |state: &State, value: &Value| {
        Ok::<_, Error>(told.date(date(value)?, this_year(state)))
    });
    let told = formats.clone();
    environment.add_filter("weekday", move |value: &Value| Ok::<_, Error>(told.weekday(date(value)?)));
    let told = formats.clone();
    environment.add_filter("weekday_date", move |state: &State, value: &Value| {
        Ok::<_, Error>(told.weekday_and_date(date(value)?, this_year(state)))
    });
    let told = formats.clone();
    environment.add_filter("time", move |value: &Value| Ok::<_, Error>(told.time(moment(value)?)));
    let told = formats.clone();
    environment.add_filter("datetime", move |state: &State, value: &Value| {
        Ok::<_, Error>(told.moment(moment(value)?, this_year(state)))
    });
    let told = formats.clone();
    environment.add_filter("number", move |value: &Value| Ok::<_, Error>(told.number(number(value)?)));
    environment.add_filter("plural", move |value: &Value, forms: Kwargs| {
        let category = formats.category(number(value)?);
        let form: Option<String> = forms.get(category)?;
        let other: String = forms.get("other")?;
        for name in ["zero", "one", "two", "few", "many"] {
            let _: Option<String> = forms.get(name)?;
        }
        forms.assert_all_used()?;
        Ok::<_, Error>(form.unwrap_or(other))
    });
    environment
}

/// As minijinja does, but for the slash: URLs that are spelled by entities look like those of spam.
fn escape(out: &mut Output, text: &str) -> Result<(), Error> {
    let mut rest = text;
    while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, special) = rest.split_at(place);
        out.write_str(before)?;
        out.write_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#39;",
        })?;
        rest = special.get(1..).unwrap_or_default();
    }
    Ok(out.write_str(rest)?)
}

fn this_year(state: &State) -> i32 {
    state.lookup("this_year").and_then(|year| i32::try_from(year).ok()).unwrap_or_default()
}

fn number(value: &Value) -> Result<i64, Error> {
    match value.kind() {
        ValueKind::Number => i64::try_from(value.clone()),
        _ => Err(unsuitable(value, "number")),
    }
}

fn moment(value: &Value) -> Result<NaiveDateTime, Error> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| unsuitable(value, "moment"))
}

fn date(value: &Value) -> Result<NaiveDate, Error> {
    let text = value.as_str().ok_or_else(|| unsuitable(value, "date"))?;
    text.parse()
        .ok()
        .or_else(|| Some(text.parse::<NaiveDateTime>().ok()?.date()))
        .ok_or_else(|| unsuitable(value, "date"))
}

fn unsuitable(value: &Value, what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{} is no {what}", value.kind()))
}
