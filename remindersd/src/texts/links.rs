//! The links of messages, as the configuration has them.

use axum::http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What RFC 3986 calls unreserved is written as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// URLs in which `{assignment_id}`, `{token}` and `{type}` stand for what a message has, percent-encoded. Without one, messages have no such link.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// `https://app.example.org/assignments/{assignment_id}`
    pub assignment: Option<String>,
    /// Where all are listed: what does not fit into a digest is there.
    pub assignments: Option<String>,
    /// `https://reminders.example.org/unsubscribe/{token}?type={type}`; where there is no type, the parameter that names it is left out.
    pub unsubscribe: Option<String>,
}

impl Links {
    pub fn is_empty(&self) -> bool {
        self.assignment.is_none() && self.assignments.is_none() && self.unsubscribe.is_none()
    }

    /// What is wrong with them.
    pub fn complaints(&self) -> Vec<String> {
        let named = [
            ("assignment", &self.assignment, ["{assignment_id}"].as_slice(), None),
            ("assignments", &self.assignments, [].as_slice(), None),
            ("unsubscribe", &self.unsubscribe, ["{token}", "{type}"].as_slice(), Some("{token}")),
        ];
        let complaints = named.into_iter().filter_map(|(name, link, places, needed)| {
            let complaint = complaint(link.as_deref()?, places, needed)?;
            Some(format!("configuration: texts.links.{name}: {complaint}"))
        });
        complaints.collect()
    }

    pub fn assignment(&self, id: Uuid) -> Option<String> {
        Some(self.assignment.as_deref()?.replace("{assignment_id}", &id.to_string()))
    }

    /// By which whoever has this token wants no more of a type, or of anything. None where no link is configured, or none for one type alone.
    pub fn unsubscribe(&self, token: &str, reminder_type: Option<&str>) -> Option<String> {
        let link = self.unsubscribe.as_deref()?.replace("{token}", &encoded(token));
        match reminder_type {
            Some(reminder_type) if link.contains("{type}") => Some(link.replace("{type}", &encoded(reminder_type))),
            Some(_) => None,
            None => Some(without_type(&link)),
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Without the parameter, or the step of the path, that holds a type.
fn without_type(link: &str) -> String {
    let (path, query) = link.split_once('?').map_or((link, None), |(path, query)| (path, Some(query)));
    let path = path.split('/').filter(|step| !step.contains("{type}")).collect::<Vec<_>>().join("/");
    let query = query.into_iter().flat_map(|query| query.split('&')).filter(|parameter| !parameter.contains("{type}"));
    let query = query.collect::<Vec<_>>().join("&");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

fn complaint(link: &str, places: &[&str], needed: Option<&str>) -> Option<String> {
    let filled = places.iter().fold(link.to_string(), |link, place| link.replace(place, "x"));
    if filled.contains(['{', '}']) {
        let known = if places.is_empty() { "none".to_string() } else { places.join(", ") };
        return Some(format!("{link:?} has a placeholder that nothing stands for (known here: {known})"));
    }
    if needed.is_some_and(|needed| !link.contains(needed)) {
        return Some(format!("{link:?} does not say where the token goes: {{token}}"));
    }
    let is_of_the_web = filled.parse().is_ok_and(|uri: Uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !is_of_the_web || filled.contains(['"', '\'', '<', '>', '\\']) {
        return Some(format!("{link:?} is no http or https URL"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsubscribing(link: &str) -> Links {
        Links { unsubscribe: Some(link.to_string()), ..Links::default() }
    }

    #[test]
    fn what_a_message_has_is_percent_encoded() {
        let links = unsubscribing("https://example.org/unsubscribe/{token}?type={type}&from=mail");
        assert_eq!(
            links.unsubscribe("a/b?", Some("24 hours & more")).unwrap(),
            "https://example.org/unsubscribe/a%2Fb%3F?type=24%20hours%20%26%20more&from=mail"
        );
        assert_eq!(links.unsubscribe("t", None).unwrap(), "https://example.org/unsubscribe/t?from=mail");
        let links = unsubscribing("https://example.org/{token}?type={type}");
        assert_eq!(links.unsubscribe("t", None).unwrap(), "https://example.org/t");
        let links = unsubscribing("https://example.org/{token}/{type}");
        assert_eq!(links.unsubscribe("t", None).unwrap(), "https://example.org/t");
        assert_eq!(unsubscribing("https://example.org/{token}").unsubscribe("t", Some("24h")), None);
    }

    #[test]
    fn only_links_of_the_web_are_taken_and_only_with_placeholders_that_are_known() {
        for link in [
            "javascript:alert(1)//{token}",
            "data:text/html,{token}",
            "ftp://example.org/{token}",
            "mailto:a@example.org?subject={token}",
            "//example.org/{token}",
            "/unsubscribe/{token}",
            "https:///{token}",
            "https://example.org/{token}\"onclick=\"x",
            "https://example.org/{token} ",
            "https://example.org/{tokens}",
            "https://example.org/{token}/{assignment_id}",
            "https://example.org/unsubscribe",
            "",
        ] {
            assert_eq!(unsubscribing(link).complaints().len(), 1, "{link}");
        }
        for link in ["http://localhost:8080/unsubscribe/{token}", "https://example.org/{token}?type={type}"] {
            assert_eq!(unsubscribing(link).complaints(), [""; 0], "{link}");
        }
    }
}
