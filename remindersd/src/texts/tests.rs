//! What holds of messages whatever is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::kinds::Part;
use super::*;
use crate::deliver::message::Item;

fn texts(links: Links, directory: Option<&Path>) -> Texts {
    let config = config::Texts { directory: directory.map(Path::to_path_buf), links, ..config::Texts::default() };
    Texts::new(&config).unwrap()
}

fn shipped() -> Texts {
    texts(check::example_links(), None)
}

fn rendered(texts: &Texts, message: &Message) -> Rendered {
    texts.render_at(message, samples::now()).unwrap()
}

/// A directory of templates that is gone with the test.
struct Templates(PathBuf);

impl Templates {
    fn of(files: &[(&str, &str)]) -> Self {
        let directory = std::env::temp_dir().join(format!("remindersd-texts-{}", uuid::Uuid::new_v4()));
        for (name, text) in files {
            let file = directory.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(directory)
    }
}

impl Drop for Templates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What of a message text of users may not change: how much markup and how many lines it has.
fn shape(rendered: &Rendered) -> (usize, usize, usize, usize) {
    let count = |character| rendered.html.matches(character).count();
    (count('<'), count('>'), count('"'), rendered.text.lines().count())
}

proptest! {
    #[test]
    fn no_text_of_users_fails_a_message_or_becomes_markup_a_line_or_a_header(text in any::<String>(), locale in prop_oneof!["nb", "en", ".*"]) {
        let texts = shipped();
        let text = format!("x{text}");
        for kind in Kind::ALL {
            let of = |text: &str| {
                let mut message = samples::filled(&samples::typical(kind, "en"), text);
                message.recipient_locale = Some(locale.clone());
                message.recipient_timezone = Some(text.to_string());
                rendered(&texts, &message)
            };
            let told = of(&text);
            prop_assert_eq!(shape(&told), shape(&of("x")), "{}: {}", kind.name(), told.html);
            prop_assert!(!told.subject.chars().any(char::is_control), "{:?}", told.subject);
            prop_assert!(told.subject.chars().count() <= 190);
        }
    }
}

#[test]
fn every_sample_is_told_in_both_languages_without_markup_of_users() {
    let texts = shipped();
    for locale in ["en", "nb"] {
        for kind in Kind::ALL {
            for (name, message) in samples::every(kind, locale) {
                let told = rendered(&texts, &message);
                assert_eq!(told.locale, locale, "{kind:?} {name}");
                assert!(!told.html.contains("<script"), "{kind:?} {name}: {}", told.html);
                for gone in ["49", "\u{202e}", "undefined"] {
                    assert!(!told.text.contains(gone), "{kind:?} {name}: {gone}: {}", told.text);
                }
            }
        }
    }
}

#[test]
fn both_languages_have_the_same_files_and_the_texts_of_each_use_the_same_variables() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("texts");
    let files = |locale: &str| -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(directory.join(locale)).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| (path.file_name().unwrap().to_string_lossy().into(), std::fs::read_to_string(path).unwrap()))
            .collect()
    };
    let (english, norwegian) = (files("en"), files("nb"));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&english), names(&norwegian));
    assert_eq!(english.len(), Kind::ALL.len() * Part::ALL.len() + 1);
    let macros = |files: &BTreeMap<String, String>| -> BTreeSet<String> {
        files[kinds::PHRASES].split("{% macro ").skip(1).map(|of| of.split(')').next().unwrap().to_string()).collect()
    };
    assert_eq!(macros(&english), macros(&norwegian));
}

#[test]
fn every_reason_why_nobody_was_reminded_has_words_of_its_own() {
    let documentation =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/delivery.md")).unwrap();
    let table = documentation.split("| skip_reason |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut reasons: Vec<&str> =
        table.lines().skip(2).flat_map(|line| line.split('|').nth(1).unwrap().split(',').map(str::trim)).collect();
    assert!(reasons.len() > 20);
    reasons.extend(["failed", "a reason of tomorrow"]);
    let known: BTreeSet<&str> = samples::REASONS.into_iter().collect();
    assert_eq!(known, reasons.iter().copied().collect());
    for locale in ["en", "nb"] {
        let mut message = samples::typical(Kind::ContactEscalation, locale);
        let mut told = BTreeSet::new();
        for reason in &reasons {
            let item = message.items.first_mut().unwrap();
            (item.reminded_name, item.reminded_at) = (None, None);
            item.reminded_reason = Some((*reason).to_string());
            let text = rendered(&shipped(), &message).text;
            assert!(!(reason.contains('_') && text.contains(reason)), "{reason}: {text}");
            told.insert(text);
        }
        assert_eq!(told.len(), reasons.len(), "{locale}");
    }
}

#[test]
fn an_escalation_says_of_reminders_only_what_its_row_says() {
    let mut message = samples::typical(Kind::ContactEscalation, "en");
    let mut told = |name: Option<&str>, at, reason: Option<&str>| {
        let item = message.items.first_mut().unwrap();
        (item.reminded_name, item.reminded_at) = (name.map(String::from), at);
        item.reminded_reason = reason.map(String::from);
        rendered(&shipped(), &message).text
    };
    assert!(told(Some("Mary"), Some(samples::now()), None).contains("Mary was reminded on Monday, November 30."));
    assert!(told(None, Some(samples::now()), None).contains("The mentor was reminded on Monday, November 30."));
    assert!(told(None, None, Some("no_mentor")).contains("There was no mentor to remind."));
    assert!(!told(None, None, None).contains("reminded"), "{}", told(None, None, None));
}

#[test]
fn a_silence_that_never_had_a_contact_says_so_and_one_day_is_one_day() {
    let mut message = samples::typical(Kind::ContactReminder, "en");
    let mut told = |locale: &str, contact: bool, days| {
        message.recipient_locale = Some(locale.to_string());
        let item = message.items.first_mut().unwrap();
        item.last_contact_date = contact.then(|| samples::now().date_naive());
        item.days_since = days;
        rendered(&shipped(), &message)
    };
    assert!(
        told("en", false, Some(15))
            .text
            .contains("about “Essay on rivers” since the assignment began on November 15 (15 days).")
    );
    assert!(
        told("nb", false, Some(15))
            .text
            .contains("om «Essay on rivers» siden oppdraget begynte 15. november (15 dager).")
    );
    assert!(told("en", true, Some(1)).text.contains("for 1 day. The last contact was on November 30."));
    assert!(told("nb", true, Some(1)).text.contains("på 1 dag. Siste kontakt var 30. november."));
    assert!(
        told("nb", true, Some(1980)).subject.starts_with("1\u{a0}980 dager uten kontakt"),
        "{}",
        told("nb", true, Some(1980)).subject
    );
    assert!(told("en", false, None).subject.starts_with("No contact yet"));
    assert!(!told("en", true, None).text.contains("days"));
    // It was assigned after that: days_since counts from then.
    let item = message.items.first_mut().unwrap();
    (item.last_contact_date, item.days_since) = (chrono::NaiveDate::from_ymd_opt(2026, 10, 8), Some(15));
    let said = "since the assignment began on November 15 (15 days). The last contact before that was on October 8.";
    message.recipient_locale = Some("en".to_string());
    let text = rendered(&shipped(), &message).text;
    assert!(text.contains(said), "{text}");
}

#[test]
fn an_escalation_of_nobodys_assignment_says_that_there_is_no_mentor() {
    let mut message = samples::typical(Kind::ContactEscalation, "en");
    let item = message.items.first_mut().unwrap();
    (item.reminded_name, item.reminded_at, item.peer_mentor_name) = (None, None, None);
    item.reminded_reason = Some("no_mentor".to_string());
    assert!(rendered(&shipped(), &message).text.contains("There was no mentor to remind."));
}

#[test]
fn a_type_of_ones_own_is_no_reminder_of_a_due_date_and_its_link_stops_what_it_says() {
    let mut message = samples::typical(Kind::Due, "en");
    message.items.first_mut().unwrap().reminder_type = "kickoff1".to_string();
    let text = rendered(&shipped(), &message).text;
    assert!(
        text.contains("This is a reminder about") && text.contains("Stop messages of this kind (kickoff1):"),
        "{text}"
    );
    for (name, kind) in
        [("24h", Kind::Due), ("2d", Kind::Due), ("0.5s", Kind::Due), ("d", Kind::General), ("1x", Kind::General)]
    {
        message.items.first_mut().unwrap().reminder_type = name.to_string();
        assert_eq!(Kind::of(&message.items[0]), kind, "{name}");
    }
}

#[test]
fn a_digest_shows_the_most_urgent_first_and_no_more_lines_than_configured() {
    let typical = samples::typical(Kind::Digest, "en");
    let reminder = |days| Item { days_since: Some(days), ..typical.items.last().unwrap().clone() };
    let many = Message { items: (0..2000).map(reminder).collect(), ..typical.clone() };
    let told = rendered(&shipped(), &many);
    assert_eq!(told.text.lines().filter(|line| line.starts_with("- ")).count(), 20);
    assert!(told.text.contains("and 1,980 more: https://app.example.org/assignments\n"), "{}", told.text);
    assert!(told.html.contains(">and 1,980 more</a>"));
    let first = told.text.lines().find(|line| line.starts_with("- ")).unwrap();
    assert!(first.contains("1,999 days"), "{first}");
    assert!(
        rendered(&shipped(), &Message { recipient_locale: Some("nb".into()), ..many })
            .text
            .contains("og 1\u{a0}980 til")
    );

    // Due dates take what there is, and leave two lines to each of the others.
    let mut items: Vec<Item> = typical.items.clone();
    let due = items.iter().find(|item| item.due_at.is_some()).unwrap().clone();
    items.extend(std::iter::repeat_n(due, 100));
    let told = rendered(&shipped(), &Message { items, ..typical });
    assert_eq!(told.text.lines().filter(|line| line.starts_with("- ")).count(), 20);
    let at = |text: &str| told.text.find(text).unwrap_or_else(|| panic!("{text}: {}", told.text));
    assert!(at("Due dates (102)") < at("and 86 more") && at("and 86 more") < at("look into it (2)"));
    assert!(at("look into it (2)") < at("get in touch (25)") && at("get in touch (25)") < at("and 23 more"));
}

#[test]
fn a_message_ends_with_the_links_to_unsubscribe_of_its_type_and_of_all_where_there_are_any() {
    let message = samples::typical(Kind::Due, "nb");
    let told = rendered(&shipped(), &message);
    let (token, link) = ("5a17".repeat(16), "https://reminders.example.org/unsubscribe/");
    let end = format!("Stopp påminnelser om frister: {link}{token}?type=24h\nStopp alle meldinger: {link}{token}\n");
    assert!(told.text.ends_with(&end), "{}", told.text);
    assert!(
        told.html.contains(&format!("href=\"{link}{token}?type=24h\""))
            && told.html.contains(&format!("href=\"{link}{token}\""))
    );
    for (links, token) in [(Links::default(), Some("t")), (check::example_links(), None)] {
        let message = Message { unsubscribe_token: token.map(String::from), ..message.clone() };
        assert!(!rendered(&texts(links, None), &message).html.contains("Stopp"));
    }
}

#[test]
fn a_template_that_fails_is_told_by_the_shipped_one_and_only_where_it_fails() {
    let own = Templates::of(&[
        ("en/general.txt", "{{ item.metadata.colour }} is the colour"),
        ("en/due.txt", "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}"),
    ]);
    let texts = texts(Links::default(), Some(&own.0));
    let mut message = samples::typical(Kind::General, "en");
    assert!(rendered(&texts, &message).text.contains("This is a reminder about “Essay on rivers”."));
    message.items.first_mut().unwrap().metadata = serde_json::json!({"colour": "green"});
    assert_eq!(rendered(&texts, &message).text, "green is the colour\n");
    assert!(rendered(&texts, &samples::typical(Kind::Due, "en")).text.contains("is due Tuesday"));
}

#[test]
fn words_come_from_the_organization_then_the_directory_then_what_is_shipped_by_locale() {
    let ours = samples::typical(Kind::General, "en").organization_id;
    let own = Templates::of(&[
        ("nb/general.subject", "felles"),
        (&format!("organizations/{ours}/nb/general.subject"), "vår"),
        (&format!("organizations/{ours}/nb-NO/general.subject"), "vår, i Norge"),
        // A language of which one kind is there.
        ("sv/phrases.jinja", ""),
        ("sv/general.subject", "påminnelse"),
        ("sv/general.txt", "{{ item.scheduled_for or '-' }}"),
        ("sv/general.html", "<p>{{ subject }}</p>"),
    ]);
    let texts = texts(Links::default(), Some(&own.0));
    let told = |kind, locale: &str, organization| {
        let message = Message {
            organization_id: organization,
            recipient_locale: Some(locale.to_string()),
            ..samples::typical(kind, "en")
        };
        let told = rendered(&texts, &message);
        (told.locale, told.subject)
    };
    let other = uuid::Uuid::from_u128(9);
    let pair = |locale: &str, subject: &str| (locale.to_string(), subject.to_string());
    assert_eq!(told(Kind::General, "nb", ours), pair("nb", "vår"));
    assert_eq!(told(Kind::General, "nb-NO", ours), pair("nb-NO", "vår, i Norge"));
    assert_eq!(told(Kind::General, "nb-NO", other), pair("nb", "felles"));
    assert_eq!(told(Kind::General, "nn-NO", other), pair("nb", "felles"));
    assert_eq!(told(Kind::General, "no", other), pair("nb", "felles"));
    assert_eq!(told(Kind::General, "sv-SE", other), pair("sv", "påminnelse"));
    assert_eq!(told(Kind::Due, "sv-SE", other).0, "en");
    assert_eq!(told(Kind::General, "de", other), pair("en", "Reminder: Essay on rivers"));
}

#[test]
fn what_is_not_known_is_not_told_and_of_nothing_there_is_no_message() {
    let nothing = Message { items: Vec::new(), ..samples::typical(Kind::Due, "en") };
    assert!(matches!(shipped().render(&nothing), Err(Error::Nothing)));
}
