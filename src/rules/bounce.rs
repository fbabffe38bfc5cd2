//! Bounces: whether a mail provider's report means that the address is dead.
//!
//! By the enhanced status code (RFC 3463 and 5248, and IANA's registry of them: class.subject.detail) in the report, else by
//! the SMTP reply code (RFC 5321) and the text. A text may also contradict its code, since servers send 5.1.1 for a full
//! mailbox and 5.2.1 to a sender whom they block: then the milder of both holds. Hard is what cannot be anything else.

use chrono::{DateTime, TimeDelta, Utc};

/// Whose fault it is that a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The address does not take mail and never will: it is not written to again.
    Hard,
    /// The mailbox does not take this message now: it is full or slow, its server is down or greylists, or nobody can tell.
    Soft,
    /// The address is not to blame: what was refused is the sender, the message, or how it was sent.
    Sender,
}

impl Verdict {
    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Sender => "sender",
        }
    }

    /// Whether it counts against the address, where a failure of the message did before or not: however often a message is delayed, it is one.
    #[must_use]
    pub const fn counts(self, was_counted: bool) -> bool {
        match self {
            Self::Hard => true,
            Self::Soft => !was_counted,
            Self::Sender => false,
        }
    }
}

/// Soft bounces count for this long.
const WINDOW: TimeDelta = TimeDelta::days(90);

/// When messages to an address bounced softly, one moment for each, now that another one has.
#[must_use]
pub fn with_another(soft_bounced_at: Vec<DateTime<Utc>>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let counting = soft_bounced_at.into_iter().filter(|at| now - *at < WINDOW);
    counting.chain(std::iter::once(now)).collect()
}

/// An enhanced status code: class, subject, detail.
type Status = (u16, u16, u16);

/// Judges a bounce or rejection by what the provider said. `is_permanent` is the caller's own knowledge. It decides where
/// the report is unclear, and false rules a hard bounce out; true makes nothing hard that the report explains otherwise.
/// Where neither says anything it is soft: one unclear report silences nobody.
#[must_use]
pub fn judge(is_permanent: Option<bool>, report: &str) -> Verdict {
    match (is_permanent, clear_verdict(report)) {
        (Some(true), None) => Verdict::Hard,
        (Some(false), Some(Verdict::Hard)) | (_, None) => Verdict::Soft,
        (_, Some(verdict)) => verdict,
    }
}

/// Judges what a server said of a recipient when the message was handed over to it, as a bounce; but what it said of itself, its storage or its
/// network, for now (421; 4.3.x and 4.4.x of RFC 3463), is about no address. Of a bounce, after days of trying, it is.
#[must_use]
pub fn judge_refusal(is_permanent: Option<bool>, report: &str) -> Option<Verdict> {
    let verdict = judge(is_permanent, report);
    let is_of_the_server = matches!(codes(report), (Some(421), _) | (_, Some((4, 3 | 4, _))));
    (verdict != Verdict::Soft || !is_of_the_server).then_some(verdict)
}

/// Whether a report clearly blames the sender, the message or how it was sent.
#[must_use]
pub fn blames_sender(report: &str) -> bool {
    clear_verdict(report) == Some(Verdict::Sender)
}

/// The codes of a report: the SMTP reply code, and the enhanced status code as its three numbers.
#[must_use]
pub fn codes(report: &str) -> (Option<u16>, Option<(u16, u16, u16)>) {
    let words = words(report);
    (reply_code(&words), status(&words))
}

fn clear_verdict(report: &str) -> Option<Verdict> {
    let words = words(report);
    let text = Text::new(&words);
    let reply = reply_code(&words);
    // 5.0.0 says nothing. Servers write it where the remote one has given no code.
    let status = status(&words).filter(|&status| status != (5, 0, 0));
    let is_policy = matches!(status, Some((_, 7, _)));
    // With a policy code, a quota is the sender's.
    let is_senders_quota = is_policy || text.says(SENDERS_QUOTA);
    if text.says(GREYLISTED) || text.says(FULL_OR_SLOW) && !is_senders_quota {
        return Some(Verdict::Soft);
    }
    if text.says(SENDERS_QUOTA) || text.says(SENDER) {
        return Some(Verdict::Sender);
    }
    let is_unknown = text.says(UNKNOWN);
    let verdict = match status {
        Some(status) => by_status(status),
        None => by_reply(reply, is_unknown),
    };
    let is_transient = matches!(reply, Some(400..500)) || text.says(LATER);
    match verdict {
        // The reply is about the connection, whatever its status says. AOL blocks with 521 5.2.1.
        Some(Verdict::Hard) if matches!(reply, Some(520..530)) => Some(Verdict::Sender),
        Some(Verdict::Hard) | None if is_transient => Some(Verdict::Soft),
        verdict => verdict,
    }
}

fn by_status(status: Status) -> Option<Verdict> {
    match status {
        // The sender's address; the size, form or content of the message; the protocol; security and policy.
        (_, 1, 7 | 8) | (_, 2, 3) | (_, 3, 4) | (_, 5, 1..) | (_, 6 | 7, _) => Some(Verdict::Sender),
        // No such mailbox, domain or address; moved; no mail for this domain (RFC 7505); disabled.
        (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1) => Some(Verdict::Hard),
        // Other or undefined. No answer, which Microsoft says of addresses that are not in a directory: nearly always they
        // do not exist, but a directory may lag behind. No route, which may be a fault of DNS.
        (5, 0 | 1, _) | (5, _, 0) | (5, 4, 1 | 4) | (2, ..) => None,
        _ => Some(Verdict::Soft),
    }
}

fn by_reply(reply: Option<u16>, is_unknown: bool) -> Option<Verdict> {
    match reply? {
        400..500 | 552 => Some(Verdict::Soft),
        550 | 551 | 553 if is_unknown => Some(Verdict::Hard),
        _ => None,
    }
}

/// The first enhanced status code that says something, else of any failure, else any.
fn status(words: &[String]) -> Option<Status> {
    let statuses = words.iter().filter_map(|word| {
        let mut parts = word.split('.').map(|part| part.parse::<u16>().ok());
        match (parts.next()??, parts.next()??, parts.next()??, parts.next()) {
            (class @ (2 | 4 | 5), subject, detail, None) => Some((class, subject, detail)),
            _ => None,
        }
    });
    statuses.min_by_key(|&(class, subject, detail)| (class == 2, (subject, detail) == (0, 0)))
}

/// The first word that is a reply code of failure.
fn reply_code(words: &[String]) -> Option<u16> {
    words
        .iter()
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .find(|code| (400..600).contains(code))
}

/// The words of a report in lower case, without those that others have chosen: addresses, links and the names of hosts may
/// contain anything. Of these only the names of blocklists stay.
fn words(report: &str) -> Vec<String> {
    let mut words = Vec::new();
    let text = without_addresses(report).to_lowercase().replace(['\'', '’'], "");
    for token in text.split_whitespace() {
        if token.contains('@') || token.contains("://") {
            words.extend(blocklist(token));
            continue;
        }
        for part in token.split(|character: char| !character.is_alphanumeric() && !matches!(character, '.' | '-' | '_'))
        {
            let part = part.trim_matches(['.', '-', '_']);
            if part.contains('.') && part.contains(char::is_alphabetic) {
                words.extend(blocklist(part));
            } else {
                let split = part.split(['-', '_']).map(|word| word.trim_matches('.'));
                words.extend(split.filter(|word| !word.is_empty()).map(str::to_string));
            }
        }
    }
    words
}

/// Without what stands between < and >, unless it is a text.
fn without_addresses(report: &str) -> String {
    let mut parts = report.split('<');
    let mut kept = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let rest = match part.split_once('>') {
            Some((address, rest)) if !address.contains(char::is_whitespace) => rest,
            _ => part,
        };
        kept.push(' ');
        kept.push_str(rest);
    }
    kept
}

fn blocklist(name: &str) -> Option<String> {
    BLOCKLISTS.iter().find(|list| name.contains(*list)).map(ToString::to_string)
}

/// The words of a report that are no codes, with a space before each.
struct Text(String);

impl Text {
    fn new(words: &[String]) -> Self {
        let words = words.iter().filter(|word| word.contains(char::is_alphabetic));
        Self(words.fold(String::new(), |text, word| text + " " + word))
    }

    /// Whether one of these phrases begins with a word of the text. It may end within one: spam, spammer.
    fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.0.match_indices(phrase).any(|(at, _)| self.0[..at].ends_with(' ')))
    }
}

const BLOCKLISTS: &[&str] = &["spamhaus", "spamcop", "barracudacentral", "sorbs", "cloudmark", "dnsbl"];

const GREYLISTED: &[&str] = &["greylist", "graylist", "grey list", "gray list"];

/// Of a recipient who can take no message now.
const FULL_OR_SLOW: &[&str] = &[
    "boite du destinataire pleine",
    "disk quota",
    "exceeded quota",
    "exceeded storage",
    "exceeds quota",
    "exhausted allowed storage",
    "full mailbox",
    "inbox is full",
    "insufficient disk",
    "insufficient storage",
    "insufficient system storage",
    "mailbox full",
    "mailbox is full",
    "mailbox quota",
    "mailbox received too much",
    "mailbox size limit",
    "out of storage",
    "over quota",
    "overquota",
    "over storage",
    "quota exceeded",
    "quota limit",
    "receiving email at a rate",
    "receiving email too quickly",
    "receiving mail at a rate",
    "receiving mail too quickly",
    "recipient account is blocked",
    "recipients account is blocked",
    "storage limit",
    "storage quota",
    "too many messages on the server",
    "too much mail data",
    "user account is blocked",
];

const SENDERS_QUOTA: &[&str] =
    &["daily limit", "relay limit", "relay sending limit", "sending limit", "sending quota", "submission quota"];

/// Of the sender, the message, or how it was sent.
const SENDER: &[&str] = &[
    "administrative prohibition",
    "authenticat",
    "bad helo",
    "banned",
    "barracudacentral",
    "black list",
    "blacklist",
    "block list",
    "blocked",
    "blocklist",
    "bulk mail",
    "client host",
    "cloudmark",
    "complaint",
    "content filter",
    "content rejected",
    "content restriction",
    "denylist",
    "dkim",
    "dmarc",
    "dnsbl",
    "domain of sender",
    "envelope sender",
    "excessive volume",
    "forged",
    "fraud",
    "from domain",
    "helo command rejected",
    "invalid sender",
    "ip address",
    "is listed",
    "junk",
    "mail from",
    "mail rejected",
    "malware",
    "maximum message size",
    "message content",
    "message refused",
    "message rejected",
    "message size",
    "message too big",
    "message too large",
    "message too long",
    "not allowed to send",
    "not authorized",
    "phishing",
    "policies",
    "policy",
    "prohibited",
    "ptr record",
    "rate limit",
    "rbl",
    "rdns",
    "relay access denied",
    "relay denied",
    "relay not permitted",
    "relaying",
    "reputation",
    "reverse dns",
    "reverse hostname",
    "scam",
    "sender address",
    "sender denied",
    "sender domain",
    "sender invalid",
    "sender is unauth",
    "sender rejected",
    "sender verif",
    "sender was rejected",
    "size limit",
    "sorbs",
    "spam",
    "spf",
    "spoof",
    "starttls",
    "surbl",
    "suspected",
    "suspicious",
    "throttled",
    "tls required",
    "too frequent",
    "too many concurrent",
    "too many connections",
    "too many recipients",
    "too many sessions",
    "unauthenticated",
    "unauthorized",
    "unexpected volume",
    "unsolicited",
    "untrusted",
    "unverified sender",
    "uribl",
    "verify sender",
    "violat",
    "virus",
    "your ip",
];

/// Of what passes, if it is not about the sender.
const LATER: &[&str] = &["temporarily", "temporary", "try again later", "try later"];

/// Of a recipient who is not there.
const UNKNOWN: &[&str] = &[
    "account closed",
    "account deleted",
    "account has been closed",
    "account has been deleted",
    "account is closed",
    "account not found",
    "address not found",
    "address unknown",
    "addressee unknown",
    "does not exist",
    "does not have an account",
    "doesnt exist",
    "doesnt have a",
    "email address is marked as invalid",
    "invalid address",
    "invalid mailbox",
    "invalid recipient",
    "invalid user",
    "is not a valid address",
    "is not a valid mailbox",
    "is not a valid recipient",
    "is not a valid user",
    "mailbox name not allowed",
    "mailbox not found",
    "mailbox unknown",
    "no longer on server",
    "no mailbox by that name",
    "no mailbox here",
    "no such account",
    "no such address",
    "no such mailbox",
    "no such person",
    "no such recipient",
    "no such user",
    "not in my validrcptto",
    "not our customer",
    "recipient is unknown",
    "recipient not found",
    "recipient unknown",
    "unknown account",
    "unknown address",
    "unknown local part",
    "unknown mailbox",
    "unknown recipient",
    "unknown user",
    "unroutable address",
    "unrouteable address",
    "user is unknown",
    "user not found",
    "user not known",
    "user unknown",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_bounces_softly_once_and_what_blames_the_sender_never_counts() {
        let counts = |verdict: Verdict| [verdict.counts(false), verdict.counts(true)];
        assert_eq!(counts(Verdict::Hard), [true, true]);
        assert_eq!(counts(Verdict::Soft), [true, false]);
        assert_eq!(counts(Verdict::Sender), [false, false]);
    }

    #[test]
    fn soft_bounces_count_for_ninety_days() {
        let on = |day: i64| DateTime::UNIX_EPOCH + TimeDelta::days(day);
        assert_eq!(with_another(vec![], on(9)), [on(9)]);
        assert_eq!(with_another(vec![on(1), on(50)], on(90)), [on(1), on(50), on(90)]);
        assert_eq!(with_another(vec![on(1), on(50)], on(91)), [on(50), on(91)]);
    }

    #[test]
    fn real_reports_are_judged_as_their_senders_mean_them() {
        let table = include_str!("../../tests/bounces.tsv");
        let mut rows = 0;
        let mut wrong = Vec::new();
        for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let &[verdict, text, source] = columns.as_slice() else { panic!("verdict, text, source: {line}") };
            assert!(!source.is_empty(), "{line}");
            let expected = match verdict {
                "hard" => Verdict::Hard,
                "soft" => Verdict::Soft,
                "sender" => Verdict::Sender,
                other => panic!("{other} is no verdict: {line}"),
            };
            let found = judge(None, &text.replace("\\n", "\n"));
            if found != expected {
                wrong.push(format!("{found:?}, not {expected:?}: {text}"));
            }
            rows += 1;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(rows >= 60, "{rows}");
    }

    #[test]
    fn an_unknown_address_or_a_disabled_mailbox_is_a_hard_bounce() {
        for report in [
            "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown",
            "smtp; 550-5.1.1 The email account that you tried to reach does not exist",
            "5.1.2",
            "501 5.1.3 Bad recipient address syntax",
            "550 5.2.1 The mailbox is disabled",
            "550 No such user here",
            "551 unknown recipient",
            "553 mailbox name not allowed",
            "556 5.1.10 Recipient address has null MX",
            "Status: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 gone",
        ] {
            assert_eq!(judge(None, report), Verdict::Hard, "{report}");
        }
    }

    #[test]
    fn what_may_pass_or_is_unclear_is_a_soft_bounce() {
        for report in [
            "452 4.2.2 Mailbox full",
            "552 5.2.2 Mailbox full",
            "550 5.2.1 Mailbox temporarily disabled",
            "550 5.1.1 Mailbox full",
            "550 Mailbox size limit exceeded",
            "450 5.1.1 Greylisted",
            "450 5.1.1 User unknown",
            "550 4.1.1 User unknown",
            "550 4.0.0 User unknown",
            "421 try again later",
            "552 exceeded storage allocation",
            "550 5.1.4 ambiguous",
            "550 5.5.0 User unknown",
            "554 User unknown",
            "550",
            "User unknown",
            "Mottakeren finnes ikke",
            "timed out after 3 attempts on 10.1.1.5",
            "",
        ] {
            assert_eq!(judge(None, report), Verdict::Soft, "{report}");
        }
    }

    #[test]
    fn what_is_about_the_sender_or_the_message_counts_against_nobody() {
        for report in [
            "550 5.7.1 Message rejected as spam",
            "550 5.1.7 Bad sender",
            "550 5.1.1 Rejected as spam",
            "550 5.2.1 Blocked by policy",
            "550 5.7.1 The sender address does not exist",
            // A policy may be what says so: the address is to blame for none.
            "550 5.7.1 No such user!",
            "550 User unknown (in reply to MAIL FROM command)",
            "552 message size exceeds the limit",
            "554 5.3.4 Message too big",
            "554 5.6.0 Not UTF-8",
            "421 4.7.0 Rate limited",
            "550 5.2.2 Sending quota exceeded",
            "451 4.7.1 Try again later",
            "521 5.2.1 go away",
            "see https://check.spamhaus.org/listed",
        ] {
            assert_eq!(judge(None, report), Verdict::Sender, "{report}");
            assert_eq!(judge(Some(true), report), Verdict::Sender, "{report}");
            assert_eq!(judge(Some(false), report), Verdict::Sender, "{report}");
        }
    }

    #[test]
    fn the_callers_knowledge_decides_what_the_report_leaves_open() {
        for report in ["", "gone", "550", "554 User unknown", "550 5.4.1 Access denied"] {
            assert_eq!(judge(None, report), Verdict::Soft, "{report}");
            assert_eq!(judge(Some(false), report), Verdict::Soft, "{report}");
            assert_eq!(judge(Some(true), report), Verdict::Hard, "{report}");
        }
        assert_eq!(judge(Some(false), "550 5.1.1 User unknown"), Verdict::Soft);
        assert_eq!(judge(Some(true), "552 5.2.2 Mailbox full"), Verdict::Soft);
        assert_eq!(judge(Some(true), "450 try again later"), Verdict::Soft);
    }

    #[test]
    fn codes_are_not_read_from_addresses_links_hosts_and_numbers() {
        for report in [
            "rejected by 10.5.1.1",
            "rejected by 5.1.1.10",
            "see https://example.org/550/5.1.1",
            "<550@5.1.1> is gone",
            "550@example.org is gone",
            "mx-5.1.1.example.org is down",
            "version 5.1",
            "on port 25, after 1550 s",
        ] {
            assert_eq!(codes(report), (None, None), "{report}");
        }
        assert_eq!(codes("550-5.1.1<a@b.org>: no\n550 5.1.1 more"), (Some(550), Some((5, 1, 1))));
        assert_eq!(codes("Status: 5.0.0; smtp; 554 sorry (#5.1.1)"), (Some(554), Some((5, 1, 1))));
        assert_eq!(codes("250 2.1.5 ok, then 5.0.0"), (None, Some((5, 0, 0))));
        assert_eq!(codes("2.0.0 OK"), (None, Some((2, 0, 0))));
    }

    #[test]
    fn what_others_have_named_says_nothing() {
        for report in [
            "550 5.1.1 <spam@example.org> User unknown",
            "host spf-01.spam.example.org[192.0.2.1] said: 550 5.1.1 User unknown",
            "550 5.1.1 User unknown, see https://example.org/policy/blocked",
            "550 5.1.1 blocked@policy.example.org: no such user",
        ] {
            assert_eq!(judge(None, report), Verdict::Hard, "{report}");
        }
    }
}
