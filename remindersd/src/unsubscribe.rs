//! What people read who follow the link by which they unsubscribe: pages without a script, in the languages of the screen. They say nothing of
//! the person, and repeat nothing of the link.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// The screen's style and a form; nothing from elsewhere, and nothing inline.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Language {
    En,
    Nb,
}

/// What the messages are about that a link is for, as far as we have a word for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Topic {
    Contact,
    Escalation,
    Summary,
    Notice,
    Due,
    Other,
}

/// What a page tells.
#[derive(Clone, Copy)]
pub enum Told {
    /// Nothing yet: it asks whether to stop messages, of a topic or all.
    Question(Option<Topic>),
    /// Messages of this topic, or all, were stopped.
    Stopped(Option<Topic>),
    UnknownLink,
    /// Of no type that the person has, or of more than one.
    UnknownType,
    /// Not now; it asks again.
    Unavailable(Option<Topic>),
}

impl Language {
    /// The one that a browser asks for (RFC 9110, 12.5.4). English, where it asks for neither.
    pub fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(header::ACCEPT_LANGUAGE).into_iter().filter_map(|value| value.to_str().ok());
        let mut best = (Self::En, 0.0);
        for range in ranges.flat_map(|value| value.split(',')) {
            let (range, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality = quality.trim().strip_prefix("q=").and_then(|quality| quality.parse().ok()).unwrap_or(0.0);
            let language = match range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "en" => Self::En,
                // Whoever reads one form of Norwegian reads the other.
                "nb" | "nn" | "no" => Self::Nb,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }
}

impl Topic {
    /// Of a reminder type, or of the name of a kind of them. `24h` and the like are about due dates.
    pub fn of(reminder_type: &str) -> Self {
        match reminder_type {
            "contact-reminder" | "remind" => Self::Contact,
            "contact-escalation" | "escalate" => Self::Escalation,
            "daily-summary" | "summary" => Self::Summary,
            "notice" => Self::Notice,
            "due" => Self::Due,
            _ if reminder_type.starts_with(|first: char| first.is_ascii_digit()) => Self::Due,
            _ => Self::Other,
        }
    }

    const fn name(self, language: Language) -> &'static str {
        match language {
            Language::En => match self {
                Self::Contact => "reminders to get in touch with a student",
                Self::Escalation => "messages about assignments without contact",
                Self::Summary => "daily summaries",
                Self::Notice => "notices to administrators",
                Self::Due => "reminders of due dates",
                Self::Other => "messages of this kind",
            },
            Language::Nb => match self {
                Self::Contact => "påminnelser om å ta kontakt med en elev",
                Self::Escalation => "meldinger om oppdrag uten kontakt",
                Self::Summary => "daglige oppsummeringer",
                Self::Notice => "varsler til administratorer",
                Self::Due => "påminnelser om frister",
                Self::Other => "meldinger av denne typen",
            },
        }
    }
}

impl Told {
    const fn status(self) -> StatusCode {
        match self {
            Self::Question(_) | Self::Stopped(_) => StatusCode::OK,
            Self::UnknownLink => StatusCode::NOT_FOUND,
            Self::UnknownType => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Title, text, and the form that follows it: of a topic and everything, of everything alone, or none.
    fn words(self, language: Language) -> (&'static str, String, Option<Option<Topic>>) {
        let all = |topic: Option<Topic>| topic.map(|topic| topic.name(language));
        match language {
            Language::En => match self {
                Self::Question(topic) => (
                    "Unsubscribe",
                    "This is about the messages that remind you of assignments. Nothing has changed yet: choose what you want no more of.".into(),
                    Some(topic),
                ),
                Self::Stopped(topic) => (
                    "Done",
                    format!(
                        "You get no more {}. One that is on its way may still arrive. If this was a mistake, tell whoever runs the programme.",
                        all(topic).unwrap_or("of these messages, of any kind")
                    ),
                    None,
                ),
                Self::UnknownLink => (
                    "This link is not known",
                    "Nothing has changed. The link may have been cut off: open it in the message again, or one in a newer message.".into(),
                    None,
                ),
                Self::UnknownType => (
                    "This link does not say what it is about",
                    "Nothing has changed. You can still stop everything.".into(),
                    Some(None),
                ),
                Self::Unavailable(topic) => {
                    ("It could not be saved", "Please try again in a minute.".into(), Some(topic))
                }
            },
            Language::Nb => match self {
                Self::Question(topic) => (
                    "Meld deg av",
                    "Dette gjelder meldingene som minner deg om oppdrag. Ingenting er endret ennå: velg hva du ikke vil ha mer av.".into(),
                    Some(topic),
                ),
                Self::Stopped(topic) => (
                    "Ferdig",
                    format!(
                        "Du får ikke flere {}. En som alt er på vei, kan fortsatt komme fram. Var det en feil, si fra til dem som driver programmet.",
                        all(topic).unwrap_or("av disse meldingene, uansett type")
                    ),
                    None,
                ),
                Self::UnknownLink => (
                    "Lenken er ukjent",
                    "Ingenting er endret. Lenken kan være kuttet: åpne den fra meldingen igjen, eller en fra en nyere melding.".into(),
                    None,
                ),
                Self::UnknownType => (
                    "Lenken sier ikke hva den gjelder",
                    "Ingenting er endret. Du kan fortsatt stoppe alt.".into(),
                    Some(None),
                ),
                Self::Unavailable(topic) => ("Det ble ikke lagret", "Prøv igjen om et minutt.".into(), Some(topic)),
            },
        }
    }

    pub fn page(self, language: Language) -> Response {
        let (title, text, form) = self.words(language);
        let (code, stop, everything) = match language {
            Language::En => ("en", "Stop", "Stop all messages"),
            Language::Nb => ("nb", "Stopp", "Stopp alle meldinger"),
        };
        // It is sent to where the page came from, with the type in the query.
        let form = form.map_or_else(String::new, |topic| {
            let topic = topic.map_or_else(String::new, |topic| {
                format!("<p><button name=\"stop\" value=\"type\">{stop} {}</button></p>\n", topic.name(language))
            });
            format!("<form method=\"post\">\n{topic}<p><button name=\"stop\" value=\"all\">{everything}</button></p>\n</form>\n")
        });
        let html = format!(
            include_str!("../screen/unsubscribe.html"),
            language = code,
            title = title,
            text = text,
            form = form
        );
        let headers = [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CONTENT_LANGUAGE, code),
            (header::VARY, "Accept-Language"),
            (ROBOTS, "noindex, nofollow"),
        ];
        let mut response = (self.status(), headers, Html(html)).into_response();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_the_language_that_the_browser_prefers() {
        for (accepted, language) in [
            ("", Language::En),
            ("*", Language::En),
            ("nb-NO,nb;q=0.9,no;q=0.8,nn;q=0.7,en-US;q=0.6,en;q=0.5", Language::Nb),
            ("en-GB,en;q=0.9,nb;q=0.8", Language::En),
            ("de, no;q=0.5, en;q=0.3", Language::Nb),
            ("sv,da;q=0.9", Language::En),
            ("NN", Language::Nb),
            ("en;q=0, nb;q=0.1", Language::Nb),
            ("nb;q=0", Language::En),
            ("nb;q=no number", Language::En),
            ("nb ; q=0.7 , en ; q=0.6", Language::Nb),
            (";;,,q=", Language::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().expect("a value"));
            assert_eq!(Language::of(&headers), language, "{accepted}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::En);
    }

    #[test]
    fn a_type_that_nobody_knows_has_a_general_name() {
        for (reminder_type, topic) in
            [("24h", Topic::Due), ("due", Topic::Due), ("held-run", Topic::Other), ("<script>", Topic::Other)]
        {
            assert_eq!(Topic::of(reminder_type), topic, "{reminder_type}");
        }
    }
}
