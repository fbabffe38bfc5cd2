//! What templates see of a message: names of one line, moments of the recipient's day, the most urgent first, and no more lines than a person reads.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::formats::Zone;
use super::kinds::Kind;
use super::links::Links;
use crate::deliver::message::{Item, Message, Summary, SummaryLine};

/// More of a name or a title than anybody reads.
const LONGEST: usize = 200;
/// So many lines of a section are shown however long those before it are.
const SHOWN_OF_EACH: usize = 2;

/// The variables of templates. docs/texts.md says what each is.
#[derive(Serialize)]
pub struct View {
    pub kind: Kind,
    /// Of the text, as HTML's lang and dir have it.
    pub lang: String,
    pub dir: &'static str,
    pub organization_name: Option<String>,
    pub recipient_name: Option<String>,
    /// Of all moments of the message.
    pub zone: String,
    /// Whether it tells the time of anything.
    pub has_times: bool,
    /// In which dates are told without a year.
    pub this_year: i32,
    /// Where it is about one thing.
    pub item: Option<ItemView>,
    pub summary: Option<SummaryView>,
    /// Of a digest.
    pub sections: Vec<Section>,
    pub total: usize,
    pub assignments_link: Option<String>,
    pub unsubscribe: Unsubscribe,
}

#[derive(Serialize)]
pub struct Section {
    pub kind: Kind,
    pub total: usize,
    /// How many are not shown.
    pub more: usize,
    pub items: Vec<ItemView>,
    pub summary: Option<SummaryView>,
}

#[derive(Serialize)]
pub struct ItemView {
    pub kind: Kind,
    pub reminder_type: String,
    pub assignment_title: Option<String>,
    pub metadata: Metadata,
    pub student_name: Option<String>,
    pub peer_mentor_name: Option<String>,
    pub coordinator_name: Option<String>,
    pub coordinator_email: Option<String>,
    pub last_contact_date: Option<String>,
    pub days_since: Option<i32>,
    /// The day on which the silence began.
    pub silent_since: Option<String>,
    pub due_at: Option<NaiveDateTime>,
    pub is_overdue: bool,
    pub anchor: Option<NaiveDateTime>,
    pub scheduled_for: Option<NaiveDateTime>,
    pub reminded_name: Option<String>,
    pub reminded_at: Option<NaiveDateTime>,
    pub reminded_reason: Option<String>,
    pub link: Option<String>,
}

/// JSON as users have it, whose numbers may be any; those that no computer's number holds are told as they are written.
pub struct Metadata(Value);

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => serializer.serialize_i64(whole),
                (None, Some(real)) => serializer.serialize_f64(real),
                (None, None) => serializer.serialize_str(&number.to_string()),
            },
            Value::Array(values) => serializer.collect_seq(values.iter().cloned().map(Metadata)),
            Value::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, Metadata(value.clone()))))
            }
            plain => plain.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
pub struct SummaryView {
    pub total: usize,
    pub overdue: Lines,
    pub current: Lines,
    pub completed: Lines,
}

#[derive(Serialize)]
pub struct Lines {
    pub total: usize,
    pub more: usize,
    pub shown: Vec<LineView>,
}

#[derive(Serialize)]
pub struct LineView {
    pub title: Option<String>,
    pub due_at: Option<NaiveDateTime>,
    pub link: Option<String>,
}

#[derive(Serialize)]
pub struct Unsubscribe {
    pub all: Option<String>,
    /// One for each kind of thing that the message tells of.
    pub kinds: Vec<UnsubscribeKind>,
}

#[derive(Serialize)]
pub struct UnsubscribeKind {
    pub kind: Kind,
    pub reminder_type: String,
    pub link: String,
}

/// By what a message is told.
pub struct Teller<'a> {
    pub links: &'a Links,
    pub lines: usize,
    pub now: DateTime<Utc>,
    pub zone: Zone,
}

impl Teller<'_> {
    pub fn view(&self, message: &Message, kind: Kind, lang: String, dir: &'static str, zone: String) -> View {
        let mut items: Vec<(Kind, &Item)> = message.items.iter().map(|item| (Kind::of(item), item)).collect();
        // What is equally urgent stays as it came: the oldest first.
        items.sort_by_key(|(kind, item)| (*kind, urgency(*kind, item)));
        let single = if let [(_, item)] = items.as_slice() { Some(self.item(item)) } else { None };
        let is_summary = kind == Kind::DailySummary;
        View {
            kind,
            lang,
            dir,
            organization_name: line(message.organization_name.as_deref()),
            recipient_name: line(message.recipient_name.as_deref()),
            zone,
            has_times: message.summary.is_some()
                || items.iter().any(|(kind, item)| match kind {
                    Kind::Due => true,
                    Kind::Notice => item.anchor.is_some(),
                    _ => false,
                }),
            this_year: self.zone.local(self.now).year(),
            summary: message.summary.as_ref().filter(|_| is_summary).map(|summary| self.summary(summary, self.lines)),
            sections: if kind == Kind::Digest { self.sections(&items, message.summary.as_ref()) } else { Vec::new() },
            item: single,
            total: items.len(),
            assignments_link: self.links.assignments.clone(),
            unsubscribe: self.unsubscribe(message.unsubscribe_token.as_deref(), &items),
        }
    }

    fn sections(&self, items: &[(Kind, &Item)], summary: Option<&Summary>) -> Vec<Section> {
        let groups: Vec<&[(Kind, &Item)]> = items.chunk_by(|one, next| one.0 == next.0).collect();
        let of = |group: &[(Kind, &Item)]| group.first().map_or(Kind::General, |(kind, _)| *kind);
        let length = |group: &[(Kind, &Item)]| match (of(group), summary) {
            (Kind::DailySummary, Some(summary)) => {
                summary.overdue.len() + summary.current.len() + summary.completed.len()
            }
            _ => group.len(),
        };
        let mut left = self.lines;
        let mut sections = Vec::with_capacity(groups.len());
        for (number, group) in groups.iter().enumerate() {
            let later: usize = groups[number + 1..].iter().map(|group| length(group).min(SHOWN_OF_EACH)).sum();
            let shown = length(group).min(left.saturating_sub(later));
            left -= shown;
            let kind = of(group);
            let summary = summary.filter(|_| kind == Kind::DailySummary).map(|summary| self.summary(summary, shown));
            let items: Vec<ItemView> = if kind == Kind::DailySummary {
                Vec::new()
            } else {
                group.iter().take(shown).map(|(_, item)| self.item(item)).collect()
            };
            let more = if kind == Kind::DailySummary { 0 } else { group.len() - items.len() };
            sections.push(Section { kind, total: group.len(), more, items, summary });
        }
        sections
    }

    /// Overdue first, then what is coming, then what is done: no more lines than that in all.
    fn summary(&self, summary: &Summary, lines: usize) -> SummaryView {
        let mut left = lines;
        let mut of = |all: &[SummaryLine]| {
            let mut soonest: Vec<&SummaryLine> = all.iter().collect();
            soonest.sort_by_key(|line| (line.due_at.is_none(), line.due_at));
            soonest.truncate(left);
            left -= soonest.len();
            let shown = soonest.into_iter().map(|of| LineView {
                title: line(Some(&of.title)),
                due_at: of.due_at_local.or_else(|| of.due_at.map(|due| self.zone.local(due))),
                link: self.links.assignment(of.assignment_id),
            });
            let shown: Vec<LineView> = shown.collect();
            Lines { total: all.len(), more: all.len() - shown.len(), shown }
        };
        let (overdue, current, mut completed) = (of(&summary.overdue), of(&summary.current), of(&summary.completed));
        // When it would have been due matters to nobody any more.
        completed.shown.iter_mut().for_each(|line| line.due_at = None);
        SummaryView { total: overdue.total + current.total + completed.total, overdue, current, completed }
    }

    fn item(&self, item: &Item) -> ItemView {
        let local = |moment: Option<DateTime<Utc>>| moment.map(|moment| self.zone.local(moment));
        let kind = Kind::of(item);
        let is_silence = matches!(kind, Kind::ContactReminder | Kind::ContactEscalation);
        ItemView {
            kind,
            reminder_type: line(Some(&item.reminder_type)).unwrap_or_default(),
            assignment_title: line(item.assignment_title.as_deref()),
            metadata: Metadata(item.metadata.clone()),
            student_name: line(item.student_name.as_deref()),
            peer_mentor_name: line(item.peer_mentor_name.as_deref()),
            coordinator_name: line(item.coordinator_name.as_deref()),
            coordinator_email: line(item.coordinator_email.as_deref()),
            last_contact_date: item.last_contact_date.map(|date| date.to_string()),
            days_since: item.days_since,
            // silence_anchor(): midnight UTC of that day, whatever the person's zone.
            silent_since: item.anchor.filter(|_| is_silence).map(|anchor| anchor.date_naive().to_string()),
            due_at: item.due_at_local.or_else(|| local(item.due_at)),
            is_overdue: item.due_at.is_some_and(|due| due < self.now),
            anchor: local(item.anchor),
            scheduled_for: local(item.scheduled_for),
            reminded_name: line(item.reminded_name.as_deref()),
            reminded_at: local(item.reminded_at),
            reminded_reason: line(item.reminded_reason.as_deref()),
            link: item.assignment_id.and_then(|id| self.links.assignment(id)),
        }
    }

    fn unsubscribe(&self, token: Option<&str>, items: &[(Kind, &Item)]) -> Unsubscribe {
        let Some(token) = token else { return Unsubscribe { all: None, kinds: Vec::new() } };
        // Of one kind there may be several types: due dates are muted together, whatever type is named. Of others each has its own.
        let mut seen = std::collections::BTreeSet::new();
        let kinds = items.iter().filter(|(kind, item)| {
            let name = if *kind == Kind::Due { "due" } else { item.reminder_type.as_str() };
            seen.len() < SECTIONS && seen.insert((*kind, name))
        });
        let kinds = kinds.filter_map(|(kind, item)| {
            Some(UnsubscribeKind {
                kind: *kind,
                reminder_type: line(Some(&item.reminder_type)).unwrap_or_default(),
                link: self.links.unsubscribe(token, Some(&item.reminder_type))?,
            })
        });
        Unsubscribe { kinds: kinds.collect(), all: self.links.unsubscribe(token, None) }
    }
}

/// More links than this are no help.
const SECTIONS: usize = 6;

/// The smaller, the more urgent.
fn urgency(kind: Kind, item: &Item) -> i64 {
    match kind {
        Kind::Due => item.due_at.map_or(i64::MAX, |due| due.timestamp()),
        Kind::ContactEscalation | Kind::ContactReminder => item.days_since.map_or(i64::MAX, |days| -i64::from(days)),
        _ => 0,
    }
}

fn line(text: Option<&str>) -> Option<String> {
    one_line(text?, LONGEST)
}

/// Without line breaks, control characters and what turns the direction of what follows; no longer than a person reads. None where nothing is left.
pub fn one_line(text: &str, longest: usize) -> Option<String> {
    // Spaces that hold a number and its unit together stay.
    let is_kept = |character: char| matches!(character, '\u{a0}' | '\u{202f}');
    let is_break = |character: char| character.is_control() || (character.is_whitespace() && !is_kept(character));
    let turns = |character: char| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = text.chars().filter(|character| !turns(*character)).collect();
    let words: Vec<&str> = text.split(is_break).filter(|word| !word.is_empty()).collect();
    let joined = words.join(" ");
    if joined.trim().is_empty() {
        return None;
    }
    let short = match joined.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", joined[..end].trim_end()),
        None => joined,
    };
    // Isolated, so that it does not turn the words and numbers around it.
    let is_rtl = short.chars().any(|character| {
        matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    });
    Some(if is_rtl { format!("\u{2068}{short}\u{2069}") } else { short })
}
