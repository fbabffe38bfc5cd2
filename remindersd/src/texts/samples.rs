//! Messages that nobody gets: to look at texts with, and to try templates on.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde_json::json;
use uuid::Uuid;

use super::kinds::Kind;
use super::locales;
use crate::deliver::message::{Item, Message, Summary, SummaryLine};

/// What escalations may say of why nobody was reminded.
pub const REASONS: [&str; 25] = [
    "failed",
    "completed",
    "not_open",
    "contacted",
    "contact_changed",
    "due_moved",
    "past_due",
    "superseded",
    "not_wanted",
    "day_over",
    "nothing_to_say",
    "not_followed_up",
    "not_due",
    "paused",
    "new_mentor",
    "no_mentor",
    "no_coordinator",
    "opted_out",
    "no_address",
    "muted",
    "not_admin",
    "over",
    "recipient_gone",
    "assignment_gone",
    "a reason of tomorrow",
];

const NOTICES: [&str; 5] = ["held-run", "failed-run", "slow-run", "missing-run", "nothing-sent"];

/// When all samples are told of: a Monday in the morning.
pub fn now() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(2026, 11, 30).and_then(|day| day.and_hms_opt(7, 0, 0)).unwrap_or_default().and_utc()
}

fn days_ago(days: i64) -> DateTime<Utc> {
    now() - Duration::days(days)
}

struct Names {
    organization: &'static str,
    recipient: &'static str,
    student: &'static str,
    other_student: &'static str,
    mentor: &'static str,
    coordinator: &'static str,
    titles: [&'static str; 4],
}

const ENGLISH: Names = Names {
    organization: "Riverside Mentoring",
    recipient: "Mary",
    student: "Sam",
    other_student: "Nadia",
    mentor: "Mary",
    coordinator: "Chris Porter",
    titles: ["Essay on rivers", "Maths", "Book report", "Poem"],
};

const NORWEGIAN: Names = Names {
    organization: "Elvebyen mentorprogram",
    recipient: "Mari",
    student: "Sander",
    other_student: "Nadia",
    mentor: "Mari",
    coordinator: "Kristin Berg",
    titles: ["Stil om elver", "Matematikk", "Bokrapport", "Dikt"],
};

fn names(locale: &str) -> &'static Names {
    let is_norwegian = locales::chain(Some(locale)).iter().any(|name| name == "nb");
    if is_norwegian { &NORWEGIAN } else { &ENGLISH }
}

fn id(number: usize) -> Uuid {
    Uuid::from_u128(0x5a_u128 << 120 | number as u128)
}

/// What a message of each kind is like.
pub fn typical(kind: Kind, locale: &str) -> Message {
    let names = names(locale);
    let item = |number: usize, reminder_type: &str| Item {
        assignment_id: Some(id(number)),
        assignment_title: Some(names.titles[number % names.titles.len()].to_string()),
        student_name: Some(if number.is_multiple_of(2) { names.student } else { names.other_student }.to_string()),
        peer_mentor_name: Some(names.mentor.to_string()),
        coordinator_name: Some(names.coordinator.to_string()),
        coordinator_email: Some("coordinator@example.org".to_string()),
        ..bare(number, reminder_type)
    };
    let reminder = |number: usize, days: i32| silent(item(number, "contact-reminder"), days);
    let escalation = |number: usize, days: i32| {
        let told = Item {
            reminded_name: Some(names.mentor.to_string()),
            reminded_at: Some(days_ago(i64::from(days) - 14)),
            ..silent(item(number, "contact-escalation"), days)
        };
        if number.is_multiple_of(2) {
            told
        } else {
            Item { reminded_name: None, reminded_at: None, reminded_reason: Some("opted_out".to_string()), ..told }
        }
    };
    let due = |number: usize, reminder_type: &str, hours: i64| {
        let due = now() + Duration::hours(hours);
        Item {
            due_at: Some(due),
            due_at_local: Some((due + Duration::hours(1)).naive_utc()),
            ..item(number, reminder_type)
        }
    };
    let summary = bare(0, "daily-summary");
    let items = match kind {
        Kind::ContactReminder => vec![reminder(0, 15)],
        Kind::ContactEscalation => vec![escalation(0, 29)],
        Kind::Due => vec![due(0, "24h", 28)],
        Kind::DailySummary => vec![summary],
        Kind::Notice => vec![Item { anchor: Some(days_ago(1)), ..bare(0, "held-run") }],
        Kind::General => vec![item(0, "kickoff")],
        Kind::Digest => {
            let never = Item { last_contact_date: None, ..reminder(6, 17) };
            let more = (10..34).map(|number| reminder(number, 14));
            let mut items = vec![due(2, "24h", 28), due(3, "2h", 3), escalation(4, 29), escalation(5, 41), never];
            items.extend(more);
            items
        }
    };
    Message {
        recipient_name: Some(names.recipient.to_string()),
        organization_name: Some(names.organization.to_string()),
        unsubscribe_token: Some("5a17".repeat(16)),
        recipient_timezone: Some("Europe/Oslo".to_string()),
        summary: (kind == Kind::DailySummary).then(|| summary_of(names)),
        ..bare_message(items, locale)
    }
}

/// Every turn that the words of a kind have to take, by what it is.
pub fn every(kind: Kind, locale: &str) -> Vec<(String, Message)> {
    let typical = typical(kind, locale);
    let of = |change: &dyn Fn(&mut Item)| {
        let mut message = typical.clone();
        message.items.iter_mut().for_each(change);
        message
    };
    let mut every = vec![
        ("typical".to_string(), typical.clone()),
        ("all NULL".to_string(), emptied(&typical)),
        ("hostile text".to_string(), filled(&typical, HOSTILE)),
        ("right-to-left text".to_string(), filled(&typical, "\u{202e}מטלה \u{5e2}\u{5dc} נהרות 123")),
        ("emoji".to_string(), filled(&typical, "👩‍🏫 🏳️‍🌈 e\u{301}\u{301}\u{301}")),
        ("1,200 characters".to_string(), filled(&typical, &"å".repeat(1200))),
        ("no contact ever".to_string(), of(&|item| item.last_contact_date = None)),
        ("one day".to_string(), of(&|item| item.days_since = item.days_since.map(|_| 1))),
        (
            "no link, no organization".to_string(),
            Message { unsubscribe_token: None, organization_name: None, ..typical.clone() },
        ),
        (
            "another year".to_string(),
            of(&|item| item.due_at_local = item.due_at_local.map(|due| due + Duration::days(400))),
        ),
        ("overdue".to_string(), of(&|item| item.due_at = item.due_at.map(|due| due - Duration::days(3)))),
    ];
    match kind {
        Kind::ContactEscalation => {
            let reasons = REASONS.iter().map(|reason| {
                let message = of(&|item| {
                    (item.reminded_name, item.reminded_at) = (None, None);
                    item.reminded_reason = Some((*reason).to_string());
                });
                ((*reason).to_string(), message)
            });
            every.extend(reasons);
            every.push(("nobody named".to_string(), of(&|item| item.reminded_name = None)));
        }
        Kind::Notice => {
            every.extend(
                NOTICES
                    .iter()
                    .map(|notice| ((*notice).to_string(), of(&|item| item.reminder_type = (*notice).to_string()))),
            );
        }
        Kind::DailySummary => {
            every.push(("nothing".to_string(), Message { summary: Some(Summary::default()), ..typical.clone() }));
            every.push(("not known".to_string(), Message { summary: None, ..typical.clone() }));
        }
        Kind::Digest => {
            let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Digest);
            let items: Vec<Item> = kinds.flat_map(|kind| self::typical(kind, locale).items).collect();
            let all = Message { items, summary: self::typical(Kind::DailySummary, locale).summary, ..typical.clone() };
            every.push(("all kinds".to_string(), all.clone()));
            every.push(("all kinds, all NULL".to_string(), emptied(&all)));
            every.push(("all kinds, hostile text".to_string(), filled(&all, HOSTILE)));
            let many = typical.items.iter().cycle().take(2000).cloned().collect();
            every.push(("2,000 items".to_string(), Message { items: many, ..typical }));
        }
        _ => {}
    }
    every
}

/// What looks like markup, like a template, like another header and like other lines.
pub const HOSTILE: &str = "<script>alert(1)</script>\" onload='x' {{ 7 * 7 }}{% include \"/etc/passwd\" %}\r\nBcc: all@example.org\u{2028}&amp; \u{0}\u{7}";

fn silent(item: Item, days: i32) -> Item {
    let began = days_ago(days.into()).date_naive();
    Item {
        last_contact_date: Some(began),
        days_since: Some(days),
        anchor: began.and_hms_opt(0, 0, 0).map(|midnight| midnight.and_utc()),
        ..item
    }
}

/// Of which nothing is known but what it is.
fn bare(number: usize, reminder_type: &str) -> Item {
    Item {
        reminder_id: id(number),
        reminder_type: reminder_type.to_string(),
        assignment_id: None,
        assignment_title: None,
        metadata: json!(null),
        student_name: None,
        peer_mentor_name: None,
        coordinator_name: None,
        coordinator_email: None,
        last_contact_date: None,
        days_since: None,
        due_at: None,
        due_at_local: None,
        anchor: None,
        scheduled_for: None,
        reminded_name: None,
        reminded_at: None,
        reminded_reason: None,
    }
}

fn bare_message(items: Vec<Item>, locale: &str) -> Message {
    Message {
        claim_id: id(0),
        claimed_until: now(),
        idempotency_key: "sample".to_string(),
        organization_id: id(1),
        organization_name: None,
        recipient_id: id(2),
        recipient_email: Some("recipient@example.org".to_string()),
        recipient_name: None,
        recipient_timezone: None,
        recipient_locale: Some(locale.to_string()),
        unsubscribe_token: None,
        reminder_ids: items.iter().map(|item| item.reminder_id).collect(),
        items,
        summary: None,
    }
}

fn summary_of(names: &Names) -> Summary {
    let line = |number: usize, hours: Option<i64>| SummaryLine {
        assignment_id: id(number),
        title: names.titles[number].to_string(),
        due_at: hours.map(|hours| now() + Duration::hours(hours)),
        due_at_local: hours.map(|hours| (now() + Duration::hours(hours + 1)).naive_utc()),
    };
    Summary {
        overdue: vec![line(2, Some(-40))],
        current: vec![line(0, Some(28)), line(1, None)],
        completed: vec![line(3, Some(80))],
    }
}

/// The same, with NULL wherever the database may have it. What makes its kind stays.
fn emptied(message: &Message) -> Message {
    let items = message.items.iter().map(|item| Item { due_at: item.due_at, ..bare(0, &item.reminder_type) });
    let locale = message.recipient_locale.clone().unwrap_or_default();
    Message { recipient_email: None, ..bare_message(items.collect(), &locale) }
}

/// The same, with this text wherever people write.
pub fn filled(message: &Message, text: &str) -> Message {
    let text = || Some(text.to_string());
    let mut message = Message { organization_name: text(), recipient_name: text(), ..message.clone() };
    for item in &mut message.items {
        item.assignment_title = text();
        item.student_name = text();
        item.peer_mentor_name = text();
        item.coordinator_name = text();
        item.coordinator_email = text();
        item.metadata = json!({"anything": text()});
        item.reminded_name = item.reminded_name.as_ref().and_then(|_| text());
        if Kind::of(item) == Kind::General {
            item.reminder_type = text().unwrap_or_default();
        }
    }
    if let Some(summary) = &mut message.summary {
        let lines = [&mut summary.overdue, &mut summary.current, &mut summary.completed].into_iter().flatten();
        lines.for_each(|line| line.title = text().unwrap_or_default());
    }
    message
}
