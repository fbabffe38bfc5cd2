//! Privacy: what stays of texts about a person who is forgotten.

use std::borrow::Cow;

use super::bounce::codes;

/// What stands where something was: in texts, titles and reasons.
pub const FORGOTTEN: &str = "forgotten";

/// What we say ourselves of an attempt that nobody answered for (sql/delivery/lease.sql): it quotes nobody.
const OURS: &str = "no answer before the lease ended";

/// A provider's report with nothing but its codes, by which deliveries can still be counted. The text around them may quote
/// addresses that nobody here has ever heard of, such as the one that mail is forwarded to.
#[must_use]
pub fn without_text(report: &str) -> String {
    if report == OURS {
        return report.to_string();
    }
    codes_of(report).map_or_else(|| "(text removed)".to_string(), |codes| format!("{codes} (text removed)"))
}

/// The codes of a provider's report, such as 550 5.7.1. `None`: it has none.
#[must_use]
pub fn codes_of(report: &str) -> Option<String> {
    let (reply, enhanced) = codes(report);
    let enhanced = enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"));
    let codes: Vec<String> = reply.map(|code| code.to_string()).into_iter().chain(enhanced).collect();
    (!codes.is_empty()).then(|| codes.join(" "))
}

/// Whether a text may quote an address.
#[must_use]
pub fn may_quote(text: &str) -> bool {
    text.contains('@')
}

/// A text about others, without these addresses, however they are capitalized. One that is a part of another address, as
/// am@example.org is of sam@example.org, stays; in doubt it goes.
#[must_use]
pub fn without_addresses<'a>(text: &'a str, addresses: &[&str]) -> Cow<'a, str> {
    // Nearly every text.
    if !may_quote(text) {
        return Cow::Borrowed(text);
    }
    let characters: Vec<char> = text.chars().collect();
    let addresses: Vec<Vec<char>> = addresses.iter().map(|address| address.chars().collect()).collect();
    let (mut kept, mut at, mut is_changed) = (String::with_capacity(text.len()), 0, false);
    while let Some(&character) = characters.get(at) {
        let found = addresses
            .iter()
            .filter(|address| !address.is_empty() && is_address_at(&characters, at, address))
            .map(Vec::len)
            .max();
        if let Some(length) = found {
            kept.push_str(FORGOTTEN);
            is_changed = true;
            at += length;
        } else {
            kept.push(character);
            at += 1;
        }
    }
    if is_changed { Cow::Owned(kept) } else { Cow::Borrowed(text) }
}

fn is_address_at(text: &[char], at: usize, address: &[char]) -> bool {
    let Some(part) = text.get(at..at + address.len()) else { return false };
    if !part.iter().zip(address).all(|(a, b)| a.to_lowercase().eq(b.to_lowercase())) {
        return false;
    }
    // A longer name before it, or a longer domain after it, makes it another address. A dot or a quote alone does not.
    let is_joined =
        |character: &&char| character.is_alphanumeric() || matches!(character, '.' | '_' | '+' | '-' | '\'');
    let is_longer_name = text[..at].iter().rev().take_while(is_joined).any(|character| character.is_alphanumeric());
    let is_longer_domain = text
        .get(at + address.len())
        .is_some_and(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
    !is_longer_name && !is_longer_domain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_report_the_codes_stay() {
        for (report, kept) in [
            ("550 5.1.1 <sam@example.org>: User unknown", "550 5.1.1 (text removed)"),
            ("550 No such user (expanded from sam@example.org)", "550 (text removed)"),
            ("smtp; 5.2.2 Sam's mailbox is full", "5.2.2 (text removed)"),
            ("Sam has left", "(text removed)"),
            ("", "(text removed)"),
            ("no answer before the lease ended", "no answer before the lease ended"),
        ] {
            assert_eq!(without_text(report), kept, "{report}");
            assert_eq!(without_text(kept), kept, "a second time, nothing is left to remove");
        }
    }

    #[test]
    fn an_address_goes_however_it_is_written() {
        for text in [
            "sam@example.org",
            "<sam@example.org>",
            "550 <SAM@Example.ORG>: User unknown",
            "'sam@example.org'",
            "rcpt=sam@example.org, mailto:sam@example.org.",
            "...sam@example.org...",
            "sam@example.org: a@b.org; sam@example.org.",
        ] {
            let kept = without_addresses(text, &["sam@example.org"]);
            assert!(!kept.to_lowercase().contains("sam@"), "{text}: {kept}");
            assert!(kept.contains(FORGOTTEN), "{text}: {kept}");
        }
        assert_eq!(
            without_addresses("to ÅSE@example.org and b@example.org", &["åse@example.org"]),
            "to forgotten and b@example.org"
        );
    }

    #[test]
    fn a_longer_address_is_another_one() {
        for text in [
            "<sam@example.org>",
            "jo.am@example.org",
            "jo-am@example.org",
            "jo+am@example.org",
            "o'am@example.org",
            "am@example.organization",
            "am@example.org-a.net",
            "",
            "nothing",
        ] {
            assert_eq!(without_addresses(text, &["am@example.org", ""]), text);
        }
        assert_eq!(
            without_addresses("am@example.org.uk", &["am@example.org", "am@example.org.uk"]),
            "forgotten",
            "the longest of those that fit"
        );
    }
}
