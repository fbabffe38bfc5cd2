//! Which languages to try for a person, and how what is shown is written there.

use icu::locale::{Locale, LocaleDirectionality};

/// What everybody gets whose language nobody has written texts in.
pub const LAST: &str = "en";

/// The names of directories to look into, the best first, for a locale as users write it (`nb-NO`, `nb_NO`).
pub fn chain(locale: Option<&str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if let Some(locale) = locale.and_then(parsed) {
        names.push(locale.to_string());
        if let (Some(script), true) = (locale.id.script, locale.id.region.is_some()) {
            names.push(format!("{}-{script}", locale.id.language));
        }
        // Each Norwegian reads the other one, and the first of them is what was there when there was only one.
        let language = locale.id.language.as_str();
        names.extend(
            match language {
                "nn" => vec!["nn", "nb", "no"],
                "nb" => vec!["nb", "no"],
                "no" => vec!["no", "nb"],
                other => vec![other],
            }
            .into_iter()
            .map(String::from),
        );
    }
    names.push(LAST.to_string());
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// How dates and numbers are written in a text in `language` for somebody of `locale`: as where they live, as far as that language has it.
/// A German who gets English reads "1 December", not "December 1".
pub fn of_text(language: &str, locale: Option<&str>) -> Locale {
    let text: Locale = parsed(language).unwrap_or(Locale::UNKNOWN);
    let Some(person) = locale.and_then(parsed) else { return text };
    if text.id.region.is_some() || person.id.language == text.id.language {
        return if text.id.region.is_some() { text } else { person };
    }
    let mut both = text;
    both.id.region = person.id.region;
    both
}

/// `ltr` or `rtl`, as HTML's `dir` has it.
pub fn direction(locale: &Locale) -> &'static str {
    if LocaleDirectionality::new_common().is_right_to_left(&locale.id) { "rtl" } else { "ltr" }
}

/// As BCP 47 has it. None where it is no locale.
pub fn parsed(locale: &str) -> Option<Locale> {
    Locale::try_from_str(&locale.replace('_', "-")).ok().filter(|locale| !locale.id.language.is_unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_locale_falls_back_to_its_language_then_to_what_its_speakers_read_then_to_english() {
        let chain = |locale| chain(locale).join(" ");
        assert_eq!(chain(Some("nb-NO")), "nb-NO nb no en");
        assert_eq!(chain(Some("nb_NO")), "nb-NO nb no en");
        assert_eq!(chain(Some("NB-no")), "nb-NO nb no en");
        assert_eq!(chain(Some("nb")), "nb no en");
        assert_eq!(chain(Some("no")), "no nb en");
        assert_eq!(chain(Some("nn-NO")), "nn-NO nn nb no en");
        assert_eq!(chain(Some("en-GB")), "en-GB en");
        assert_eq!(chain(Some("zh-Hant-TW")), "zh-Hant-TW zh-Hant zh en");
        assert_eq!(chain(Some("de")), "de en");
        assert_eq!(chain(Some("../../etc")), "en");
        assert_eq!(chain(None), "en");
    }

    #[test]
    fn dates_are_written_as_where_the_person_lives_in_the_language_of_the_text() {
        let of_text = |language, locale| of_text(language, locale).to_string();
        assert_eq!(of_text("nb", Some("nb-NO")), "nb-NO");
        assert_eq!(of_text("en", Some("de-DE")), "en-DE");
        assert_eq!(of_text("en", Some("en-GB")), "en-GB");
        assert_eq!(of_text("en-GB", Some("en-US")), "en-GB");
        assert_eq!(of_text("nb", Some("nn-NO")), "nb-NO");
        assert_eq!(of_text("en", Some("nonsense!")), "en");
        assert_eq!(of_text("en", None), "en");
    }

    #[test]
    fn arabic_goes_from_right_to_left() {
        let direction = |locale: &str| direction(&parsed(locale).unwrap());
        assert_eq!((direction("ar-EG"), direction("he"), direction("nb-NO")), ("rtl", "rtl", "ltr"));
    }
}
