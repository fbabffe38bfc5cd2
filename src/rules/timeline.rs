//! What happened to an assignment, told in order: what its rows were and what replaced it, as events with a code and a sentence each. The codes stay, the
//! words may change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::explanation::in_plain_words;

/// Microseconds, from whatever moment they are counted.
pub type Moment = i64;
/// The columns of a row, with `created_micros`, `created_day`, `occurred_micros` and `due_words` beside them.
pub type Values = Map<String, Value>;

/// What was done to a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    Inserted,
    /// With the columns that it replaced.
    Updated(Values),
    /// With the whole row.
    Deleted(Values),
}

/// When, and by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub at: Moment,
    /// The day of it, where the organization is.
    pub day: String,
    pub by: String,
    pub user: Option<String>,
    pub operation: Operation,
}

/// A row of one of the tables that a timeline tells of.
#[derive(Clone, Debug)]
pub struct Row {
    pub table: String,
    pub id: String,
    /// As it is. `None`: gone.
    pub present: Option<Values>,
    /// In their order.
    pub changes: Vec<Change>,
}

/// What became of a reminder.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names)] // reminder_type
pub struct Reminder {
    pub at: Moment,
    /// The day of it, where the organization is.
    pub day: NaiveDate,
    /// As reminder_events and send_logs call it.
    pub event: String,
    pub reason: Option<String>,
    pub reminder_type: Option<String>,
    pub recipient: Option<String>,
    pub id: Option<String>,
    pub is_given_up: bool,
}

impl Reminder {
    /// Of a message to somebody else, a mentor hears that there was one and what became of it: not who that is, or what was said of them.
    pub fn hide_from(&mut self, user: &str) {
        if self.recipient.as_deref() != Some(user) {
            self.recipient = None;
            self.reason = None;
        }
    }
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub happened_at: Moment,
    pub recorded_at: Moment,
    pub code: &'static str,
    pub row: Option<String>,
    pub old: Option<String>,
    pub new: Option<String>,
    pub reason: Option<String>,
    pub reminder_type: Option<String>,
    pub recipient: Option<String>,
    pub by: Option<String>,
    pub user: Option<String>,
    pub text: String,
}

/// A row before and after something was done to it; before it was made, and after it was deleted, it was not there.
struct Step<'a> {
    at: Moment,
    day: String,
    change: Option<&'a Change>,
    before: Option<Values>,
    after: Option<Values>,
}

/// The steps of a row, in order: from what it is now, what each change replaced is put back.
fn steps(row: &Row) -> Vec<Step<'_>> {
    let mut backwards = Vec::with_capacity(row.changes.len() + 1);
    let mut version = row.present.clone();
    // What was inserted and of which no insert is kept was so when it says that it was created.
    let born = |version: &mut Option<Values>, not_before: Option<Moment>| {
        let after = version.take()?;
        let created = after.get("created_micros").and_then(Value::as_i64);
        let at = created.max(not_before).unwrap_or(Moment::MIN);
        let day = string(&after, "created_day").unwrap_or_default();
        Some(Step { at, day, change: None, before: None, after: Some(after) })
    };
    for change in row.changes.iter().rev() {
        let step = |before, after| Step { at: change.at, day: change.day.clone(), change: Some(change), before, after };
        match &change.operation {
            Operation::Inserted => backwards.extend(version.take().map(|after| step(None, Some(after)))),
            Operation::Updated(old) => {
                let Some(after) = version.take() else { continue };
                let mut before = after.clone();
                before.extend(old.clone());
                backwards.push(step(Some(before.clone()), Some(after)));
                version = Some(before);
            }
            Operation::Deleted(old) => {
                backwards.extend(born(&mut version, Some(change.at)));
                backwards.push(step(Some(old.clone()), None));
                version = Some(old.clone());
            }
        }
    }
    backwards.extend(born(&mut version, None));
    backwards.reverse();
    backwards
}

/// Whose names are asked for: the people whom the rows and reminders name.
#[must_use]
pub fn people(rows: &[Row], reminders: &[Reminder]) -> BTreeSet<String> {
    let columns = ["peer_mentor_id", "coordinator_id", "student_id"];
    let versions = rows.iter().flat_map(|row| {
        let replaced = row.changes.iter().filter_map(|change| match &change.operation {
            Operation::Updated(old) | Operation::Deleted(old) => Some(old),
            Operation::Inserted => None,
        });
        row.present.iter().chain(replaced)
    });
    let named = versions.flat_map(|values| columns.iter().filter_map(|column| string(values, column)));
    named.chain(reminders.iter().filter_map(|reminder| reminder.recipient.clone())).collect()
}

/// The timeline of an assignment, by what it has of its rows, `names` of people (none: nobody knows any more), and `known_since`, when the history begins.
#[must_use]
pub fn timeline(
    assignment: &str,
    rows: &[Row],
    reminders: &[Reminder],
    names: &BTreeMap<String, String>,
    known_since: Moment,
) -> Vec<Event> {
    let mut told = Told { assignment, names, events: Vec::new() };
    let own: Vec<Step> =
        rows.iter().filter(|row| row.table == "assignments" && row.id == assignment).flat_map(steps).collect();
    if let Some(first) = own.first().filter(|first| first.at < known_since) {
        let text = "What was changed before this moment is not known.".to_string();
        let at = known_since.max(first.at);
        told.events.push(Event { code: "history_begins", row: None, ..event(at, text) });
    }
    for step in &own {
        told.assignment_step(step, known_since);
    }
    for row in rows {
        for step in steps(row) {
            match row.table.as_str() {
                "activities" => told.activity_step(&row.id, &step),
                "contact_corrections" => told.correction_step(&row.id, &step),
                "assignment_pauses" => told.pause_step(&row.id, &step),
                _ => {}
            }
        }
        if row.table == "mentor_pauses" {
            told.mentor_pause(row, &own);
        }
    }
    for reminder in reminders {
        told.reminder(reminder);
    }
    let mut events = told.events;
    // What went with the assignment is not told one by one.
    let gone: Vec<(Moment, Moment)> = (own.iter().enumerate())
        .filter(|(_, step)| step.after.is_none())
        .map(|(number, step)| (step.at, own.get(number + 1).map_or(Moment::MAX, |next| next.at)))
        .collect();
    let is_part = |event: &Event| matches!(event.code, "contact_deleted" | "correction_deleted" | "pause_deleted");
    events.retain(|event| !(is_part(event) && gone.iter().any(|(from, to)| (*from..*to).contains(&event.recorded_at))));
    // What happened at one moment stays in the order in which it was found, but for the beginning.
    events.sort_by_key(|event| (event.happened_at, event.recorded_at, rank(event.code)));
    events
}

/// Of a timeline what a mentor hears, whose it is now: what was recorded since it became theirs, not who else did it, and not why the last contact was
/// corrected.
#[must_use]
pub fn to_mentor(assignment: &str, events: Vec<Event>, mentor: &str, user: &str, since: Moment) -> Vec<Event> {
    // What else the change that made it theirs replaced had been another's.
    let is_anothers = |event: &Event| {
        event.recorded_at == since
            && event.code != "mentor_changed"
            && (event.code.ends_with("_changed") && event.row.as_deref() == Some(assignment))
    };
    let mut events: Vec<Event> =
        events.into_iter().filter(|event| event.recorded_at >= since && !is_anothers(event)).collect();
    for event in &mut events {
        match event.code {
            "contact_corrected" => event.reason = None,
            // Who else it was, and which other assignment, their text says as far as they may know.
            "mentor_changed" => {
                for id in [&mut event.old, &mut event.new] {
                    id.take_if(|id| id != mentor);
                }
            }
            "coordinator_changed" | "contact_moved" => (event.old, event.new) = (None, None),
            "student_changed" => event.old = None,
            _ => {}
        }
        if event.user.as_deref() != Some(user) {
            event.user = None;
            event.by = None;
        }
    }
    events
}

/// What became of a reminder, as a timeline tells it, with `names` of people. `None`: nothing that it tells.
#[must_use]
pub fn of_reminder(reminder: &Reminder, names: &BTreeMap<String, String>) -> Option<Event> {
    let mut told = Told { assignment: "", names, events: Vec::new() };
    told.reminder(reminder);
    told.events.pop()
}

/// The assignment is made before anything happens to it, and gone after.
fn rank(code: &str) -> u8 {
    match code {
        "created" => 0,
        "history_begins" => 1,
        "deleted" => 3,
        _ => 2,
    }
}

fn event(at: Moment, text: String) -> Event {
    Event {
        happened_at: at,
        recorded_at: at,
        code: "",
        row: None,
        old: None,
        new: None,
        reason: None,
        reminder_type: None,
        recipient: None,
        by: None,
        user: None,
        text,
    }
}

struct Told<'a> {
    assignment: &'a str,
    names: &'a BTreeMap<String, String>,
    events: Vec<Event>,
}

impl Told<'_> {
    /// An event of a step: by whoever made the change or, of what was inserted, as the row says.
    fn tell(&mut self, code: &'static str, row: &str, step: &Step, detail: Event) {
        let by = step.change.map(|change| change.by.clone());
        let user = step.change.and_then(|change| change.user.clone());
        let happened_at = if detail.happened_at == Moment::MIN { step.at } else { detail.happened_at };
        self.events.push(Event {
            happened_at,
            recorded_at: step.at,
            code,
            row: Some(row.to_string()),
            by: detail.by.or(by),
            user: detail.user.or(user),
            ..detail
        });
    }

    /// What somebody is called. The id of whoever has no name says nothing to a reader.
    fn name<'a>(&'a self, id: Option<&str>, else_called: &'a str) -> &'a str {
        id.and_then(|id| self.names.get(id)).map_or(else_called, String::as_str)
    }

    fn assignment_step(&mut self, step: &Step, known_since: Moment) {
        let assignment = self.assignment.to_string();
        let (before, after) = match (&step.before, &step.after) {
            (Some(before), Some(after)) => (before, after),
            (None, Some(after)) => {
                // What it was like then is known only from when changes are.
                let is_known = step.at >= known_since;
                let of = |column| is_known.then(|| string(after, column)).flatten();
                let mentor = of("peer_mentor_id");
                let coordinator = of("coordinator_id");
                let people = [
                    mentor.as_deref().map(|id| self.named("mentor", id)),
                    coordinator.as_deref().map(|id| self.named("coordinator", id)),
                ];
                let people: Vec<String> = people.into_iter().flatten().collect();
                let with = if people.is_empty() { String::new() } else { format!(", with {}", people.join(" and ")) };
                let detail = Event { new: of("status"), ..event(Moment::MIN, format!("It was created{with}.")) };
                // One that says that it is yet to be created is there all the same.
                let created = after.get("created_micros").and_then(Value::as_i64);
                let happened_at = created.map_or(step.at, |created| created.min(step.at));
                self.tell("created", &assignment, step, Event { happened_at, ..detail });
                return;
            }
            _ => {
                self.tell("deleted", &assignment, step, event(Moment::MIN, "It was deleted.".to_string()));
                return;
            }
        };
        let changed = |column| before.get(column) != after.get(column);
        let pair = |column| (string(before, column), string(after, column));
        for (column, code) in [
            ("peer_mentor_id", "mentor_changed"),
            ("coordinator_id", "coordinator_changed"),
            ("student_id", "student_changed"),
            ("status", "status_changed"),
            ("due_at", "due_date_changed"),
            ("title", "title_changed"),
            ("assigned_on", "assigned_on_changed"),
            ("follow_up", "follow_up_changed"),
        ] {
            if !changed(column) {
                continue;
            }
            let (old, new) = pair(column);
            let text = match column {
                "peer_mentor_id" => self.handed_over("mentor", old.as_deref(), new.as_deref()),
                "coordinator_id" => self.handed_over("coordinator", old.as_deref(), new.as_deref()),
                "student_id" => self.handed_over("student", old.as_deref(), new.as_deref()),
                "due_at" => {
                    let (old, new) = pair("due_words");
                    from_to("due date", old.as_deref(), new.as_deref())
                }
                "assigned_on" => from_to("day of assignment", old.as_deref(), new.as_deref()),
                "follow_up" if new.as_deref() == Some("true") => "Its silence is followed up from now on.".to_string(),
                "follow_up" => "Its silence is not followed up any more.".to_string(),
                _ => from_to(column, old.as_deref(), new.as_deref()),
            };
            self.tell(code, &assignment, step, Event { old, new, ..event(Moment::MIN, text) });
        }
    }

    /// "mentor Mia", or "a mentor" where nobody knows what they are called.
    fn named(&self, what: &str, id: &str) -> String {
        self.names.get(id).map_or_else(|| format!("a {what}"), |name| format!("{what} {name}"))
    }

    fn handed_over(&self, what: &str, old: Option<&str>, new: Option<&str>) -> String {
        let name = |id: Option<&str>| id.and_then(|id| self.names.get(id));
        match (old, name(old), new, name(new)) {
            (Some(_), Some(from), Some(_), Some(to)) => format!("Its {what} changed from {from} to {to}."),
            (Some(_), None, Some(_), Some(to)) => format!("Its {what} changed to {to}."),
            (Some(_), Some(from), Some(_), None) => format!("Its {what} changed from {from} to another."),
            (Some(_), None, Some(_), None) => format!("Its {what} changed."),
            (None, _, _, Some(to)) => format!("{to} became its {what}."),
            (None, _, _, None) => format!("It got a {what}."),
            (Some(_), Some(from), None, _) => format!("It lost its {what} {from}."),
            (Some(_), None, None, _) => format!("It lost its {what}."),
        }
    }

    fn activity_step(&mut self, id: &str, step: &Step) {
        let is_ours =
            |values: &Values| string(values, "assignment_id").is_some_and(|assignment| assignment == self.assignment);
        let (was_ours, is_ours) = (step.before.as_ref().is_some_and(is_ours), step.after.as_ref().is_some_and(is_ours));
        let Some(values) = step.after.as_ref().or(step.before.as_ref()) else { return };
        let is_contact = |values: &Values| values.get("is_contact").and_then(Value::as_bool) != Some(false);
        let in_words = |values: &Values| if is_contact(values) { "a contact" } else { "an attempt" };
        let what = in_words(values);
        let occurred_at = |values: &Values| values.get("occurred_micros").and_then(Value::as_i64);
        let of_day =
            |values: &Values| string(values, "occurred_day").map_or_else(String::new, |day| format!(" of {day}"));
        let recorded_by = string(values, "recorded_by");
        let detail = |text: String| event(Moment::MIN, text);
        match (&step.before, was_ours, is_ours) {
            (None, _, true) => {
                let (code, text) = if is_contact(values) {
                    ("contact", "There was a contact.")
                } else {
                    ("attempt", "There was an attempt at contact, which nobody answered.")
                };
                let new = string(values, "registration");
                let happened_at = occurred_at(values).unwrap_or(step.at);
                let detail = Event { happened_at, new, user: recorded_by, ..detail(text.to_string()) };
                self.tell(code, id, step, detail);
            }
            (Some(before), true, false) if step.after.is_none() => {
                let old = string(before, "occurred_at");
                let text = format!("The record of {what} was deleted.");
                self.tell("contact_deleted", id, step, Event { old, ..detail(text) });
            }
            (Some(_), true, false) => {
                let (old, new) = (Some(self.assignment.to_string()), string(values, "assignment_id"));
                let text = format!("The record of {what}{} was moved to another assignment.", of_day(values));
                self.tell("contact_moved", id, step, Event { old, new, ..detail(text) });
            }
            (Some(before), false, true) => {
                let (old, new) = (string(before, "assignment_id"), Some(self.assignment.to_string()));
                let text = format!("The record of {what}{} was moved here from another assignment.", of_day(values));
                self.tell("contact_moved", id, step, Event { old, new, ..detail(text) });
            }
            (Some(before), true, true) => {
                if occurred_at(before) != occurred_at(values) {
                    let (old, new) = (string(before, "occurred_at"), string(values, "occurred_at"));
                    let text = format!("The moment of {what} was changed.");
                    self.tell("contact_changed", id, step, Event { old, new, ..detail(text) });
                }
                if is_contact(before) != is_contact(values) {
                    let name =
                        |values: &Values| Some(if is_contact(values) { "contact" } else { "attempt" }.to_string());
                    let (old, new) = (name(before), name(values));
                    let text = format!("What was recorded as {} became {what}.", in_words(before));
                    self.tell("contact_changed", id, step, Event { old, new, ..detail(text) });
                }
            }
            _ => {}
        }
    }

    fn correction_step(&mut self, id: &str, step: &Step) {
        match (&step.before, &step.after) {
            (None, Some(values)) => {
                let (old, new) = (string(values, "previous_date"), string(values, "new_date"));
                let text = format!(
                    "The date of the last contact was corrected from {} to {}.",
                    old.as_deref().unwrap_or("never"),
                    new.as_deref().unwrap_or("never")
                );
                let (by, user) = (string(values, "corrected_by"), string(values, "corrected_by_user"));
                let reason = string(values, "reason");
                let detail = Event { old, new, reason, by, user, ..event(Moment::MIN, text) };
                self.tell("contact_corrected", id, step, detail);
            }
            (Some(values), None) => {
                let (old, new) = (string(values, "new_date"), string(values, "previous_date"));
                let text = "A correction of the last contact was deleted.".to_string();
                self.tell("correction_deleted", id, step, Event { old, new, ..event(Moment::MIN, text) });
            }
            _ => {}
        }
    }

    /// Of pauses that triggers keep, the status or the mentor's pauses tell.
    fn pause_step(&mut self, id: &str, step: &Step) {
        let Some(values) = step.after.as_ref().or(step.before.as_ref()) else { return };
        if string(values, "cause").as_deref() == Some("pause") {
            self.pause(id, step, ["paused", "pause_changed", "pause_deleted"], "It");
        }
    }

    fn pause(&mut self, id: &str, step: &Step, [made, changed, deleted]: [&'static str; 3], who: &str) {
        let days = |values: &Values| {
            let until = string(values, "paused_until");
            (string(values, "paused_from").unwrap_or_default(), until)
        };
        let of = |values: &Values| {
            let (from, until) = days(values);
            format!("{from}/{}", until.unwrap_or_default())
        };
        let words = |values: &Values| match days(values) {
            (from, Some(until)) => format!("from {from} to {until}"),
            (from, None) => format!("from {from} until further notice"),
        };
        let paused = if who == "It" { "was paused" } else { "is away" };
        match (&step.before, &step.after) {
            (None, Some(values)) => {
                let (new, reason, user) = (Some(of(values)), string(values, "reason"), string(values, "paused_by"));
                let text = format!("{who} {paused} {}.", words(values));
                self.tell(made, id, step, Event { new, reason, user, ..event(Moment::MIN, text) });
            }
            (Some(before), Some(values)) if days(before) != days(values) => {
                let (old, new, reason) = (Some(of(before)), Some(of(values)), string(values, "reason"));
                let text = format!("{who} {paused} {}, not {}.", words(values), words(before));
                self.tell(changed, id, step, Event { old, new, reason, ..event(Moment::MIN, text) });
            }
            (Some(before), None) => {
                let text = format!("That {} {paused} {} was deleted.", who.replace("It", "it"), words(before));
                self.tell(deleted, id, step, Event { old: Some(of(before)), ..event(Moment::MIN, text) });
            }
            _ => {}
        }
    }

    /// The pause of a mentor, as far as the assignment was theirs: what was done to it then, and what held when they took it over.
    fn mentor_pause(&mut self, row: &Row, own: &[Step]) {
        let pauses = steps(row);
        let owner = |step: &Step| step.after.as_ref().and_then(|values| string(values, "peer_mentor_id"));
        for (number, begin) in own.iter().enumerate() {
            let Some(mentor) = owner(begin) else { continue };
            let end = own.get(number + 1).map_or(Moment::MAX, |step| step.at);
            let is_theirs = |values: &Values| string(values, "peer_mentor_id").as_ref() == Some(&mentor);
            let who = self.name(Some(&mentor), "The mentor").to_string();
            let codes = ["mentor_paused", "mentor_pause_changed", "mentor_pause_deleted"];
            let took_over = number == 0 || owner(&own[number - 1]).as_ref() != Some(&mentor);
            // Whoever is away when it becomes theirs is away of it from then on.
            let held = pauses.iter().rev().find(|step| step.at < begin.at).and_then(|step| step.after.as_ref());
            if let Some(values) = held.filter(|values| took_over && is_theirs(values))
                && string(values, "paused_until").is_none_or(|until| until >= begin.day)
            {
                let step = Step {
                    at: begin.at,
                    day: begin.day.clone(),
                    change: None,
                    before: None,
                    after: Some(values.clone()),
                };
                self.pause(&row.id, &step, codes, &who);
            }
            for step in pauses.iter().filter(|step| (begin.at..end).contains(&step.at)) {
                if step.after.as_ref().or(step.before.as_ref()).is_some_and(is_theirs) {
                    self.pause(&row.id, step, codes, &who);
                }
            }
        }
    }

    fn reminder(&mut self, reminder: &Reminder) {
        let kind = reminder.reminder_type.as_deref().unwrap_or("of an unknown type");
        // Whoever there was nobody for has no name, and no id.
        let to = match &reminder.recipient {
            Some(id) => format!(" to {}", self.name(Some(id), "somebody without a name")),
            None => String::new(),
        };
        let why = || {
            let reason = reminder.reason.as_deref().map(in_plain_words);
            reason.map(|reason| format!(": {reason}")).unwrap_or_default()
        };
        let (code, what) = match reminder.event.as_str() {
            "enqueued" => ("reminder_enqueued", "was enqueued".to_string()),
            "re-armed" => ("reminder_rearmed", "was enqueued once more".to_string()),
            "re-addressed" => ("reminder_readdressed", "is theirs from now on".to_string()),
            "withdrawn" => ("reminder_withdrawn", format!("was withdrawn{}", why())),
            "skipped" => ("reminder_skipped", format!("was not sent{}", why())),
            "queued" => ("message_sent", "was sent".to_string()),
            "delivered" => ("message_delivered", "was delivered".to_string()),
            "bounced" => ("message_bounced", format!("came back{}", why())),
            "rejected" => ("message_rejected", format!("was rejected{}", why())),
            "complained" => ("message_complained", "was complained of".to_string()),
            "unsubscribed" => ("message_unsubscribed", "was answered by unsubscribing".to_string()),
            "failed" if reminder.is_given_up => ("message_given_up", format!("failed for good{}", why())),
            "failed" => ("message_failed", format!("could not be sent{}", why())),
            "claimed" => ("message_claimed", "was being sent when its reminder was deleted".to_string()),
            _ => return,
        };
        let text = format!("The message {kind}{to} {what}.");
        self.events.push(Event {
            code,
            row: reminder.id.clone(),
            reason: reminder.reason.clone(),
            reminder_type: reminder.reminder_type.clone(),
            recipient: reminder.recipient.clone(),
            ..event(reminder.at, text)
        });
    }
}

fn from_to(what: &str, old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (None, Some(new)) => format!("Its {what} is {new} from now on."),
        (Some(old), None) => format!("It lost its {what} {old}."),
        (old, new) => format!("Its {what} changed from {} to {}.", old.unwrap_or("none"), new.unwrap_or("none")),
    }
}

/// A column as text. `None`: NULL, or not there.
fn string(values: &Values, column: &str) -> Option<String> {
    match values.get(column)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn values(json: Value) -> Values {
        match json {
            Value::Object(values) => values,
            _ => unreachable!("an object"),
        }
    }

    fn change(at: Moment, operation: Operation) -> Change {
        Change { at, day: "2026-01-01".into(), by: "role".into(), user: None, operation }
    }

    fn assignment(present: Option<Values>, changes: Vec<Change>) -> Row {
        Row { table: "assignments".into(), id: ID.into(), present, changes }
    }

    fn told(rows: &[Row]) -> Vec<Event> {
        timeline(ID, rows, &[], &BTreeMap::new(), 0)
    }

    proptest! {
        /// From what it was first, each change goes on where the one before it ended, up to what is there now.
        #[test]
        fn changes_of_a_column_are_a_chain_from_the_first_value_to_the_present(
            statuses in prop::collection::vec("[abc]", 1..8), is_gone in any::<bool>(),
        ) {
            let version = |status: &str| values(json!({"status": status, "created_micros": 1, "title": "x"}));
            let mut changes = Vec::new();
            for (at, pair) in (2..).zip(statuses.windows(2)) {
                changes.push(change(at, Operation::Updated(values(json!({"status": pair[0]})))));
            }
            let last = statuses.last().expect("one");
            if is_gone {
                changes.push(change(100, Operation::Deleted(version(last))));
            }
            let events = told(&[assignment((!is_gone).then(|| version(last)), changes)]);
            prop_assert_eq!(events[0].code, "created");
            let mut now = events[0].new.clone();
            prop_assert_eq!(now.as_deref(), Some(statuses[0].as_str()));
            for event in events.iter().filter(|event| event.code == "status_changed") {
                prop_assert_eq!(&event.old, &now);
                now.clone_from(&event.new);
            }
            prop_assert_eq!(now.as_ref(), Some(last));
            prop_assert_eq!(events.iter().filter(|event| event.code == "status_changed").count(), statuses.windows(2).filter(|pair| pair[0] != pair[1]).count());
            prop_assert_eq!(events.last().map(|event| event.code == "deleted"), Some(is_gone));
            prop_assert!(events.is_sorted_by_key(|event| event.happened_at));
        }

        /// What a mentor hears is what everybody's timeline says, from when the assignment became theirs, without who else did it and what was said of others.
        #[test]
        fn a_mentor_hears_the_end_of_the_timeline_and_of_nobody_else_who_or_why(
            mentors in prop::collection::vec(0..3u8, 1..8),
            corrections in prop::collection::vec((1..12i64, 0..3u8), 0..6),
            messages in prop::collection::vec((1..12i64, 0..3u8, any::<bool>()), 0..6),
            taken_over in prop::option::of(0..12i64),
        ) {
            let (mentor, user) = (|number: u8| format!("mentor-{number}"), |number: u8| format!("user-{number}"));
            let by = |number: u8, change: Change| Change { by: format!("role-{number}"), user: Some(user(number)), ..change };
            let changes = (2..).zip(mentors.windows(2)).filter(|(_, pair)| pair[0] != pair[1])
                .map(|(at, pair)| by(pair[0], change(at, Operation::Updated(values(json!({"peer_mentor_id": mentor(pair[0]), "title": "another's"}))))))
                .collect::<Vec<_>>();
            let theirs = *mentors.last().expect("one");
            let present = values(json!({"peer_mentor_id": mentor(theirs), "created_micros": 1, "created_day": "2026-01-01"}));
            let mut rows = vec![assignment(Some(present), changes.clone())];
            rows.extend((0..).zip(&corrections).map(|(number, (at, by))| Row {
                table: "contact_corrections".into(), id: format!("c{number}"), changes: vec![],
                present: Some(values(json!({"assignment_id": ID, "created_micros": at, "created_day": "2026-01-01", "number": number, "new_date": "2026-01-01",
                                            "reason": "private", "corrected_by": user(*by)}))),
            }));
            let mut reminders: Vec<Reminder> = (messages.iter()).map(|(at, to, is_failed)| Reminder {
                at: *at, day: NaiveDate::default(), event: if *is_failed { "failed" } else { "sent" }.into(), reason: Some(format!("said of {to}")),
                reminder_type: Some("contact-reminder".into()), recipient: Some(user(*to)), id: None, is_given_up: true,
            }).collect();
            let whole = timeline(ID, &rows, &reminders, &BTreeMap::new(), 0);
            for reminder in &mut reminders {
                reminder.hide_from(&user(theirs));
            }
            let hidden = timeline(ID, &rows, &reminders, &BTreeMap::new(), 0);
            // Since the last change that made it theirs; without one, since the day that the row tells.
            let since = changes.last().map(|change| change.at).or(taken_over).unwrap_or(Moment::MIN);
            let heard = to_mentor(ID, hidden, &mentor(theirs), &user(theirs), since);
            let codes = |events: &[Event]| events.iter().map(|event| (event.recorded_at, event.code)).collect::<Vec<_>>();
            let expected: Vec<Event> = whole.into_iter()
                .filter(|event| event.recorded_at > since || event.recorded_at == since && event.code != "title_changed").collect();
            prop_assert_eq!(codes(&heard), codes(&expected));
            for (event, whole) in heard.iter().zip(&expected) {
                prop_assert!(event.user.as_ref().is_none_or(|heard| *heard == user(theirs)));
                prop_assert!(event.by.is_none() || event.user.is_some());
                prop_assert!(event.recipient.as_ref().is_none_or(|heard| *heard == user(theirs)));
                // What is their own stays.
                if whole.user == Some(user(theirs)) {
                    prop_assert_eq!((&event.user, &event.by), (&whole.user, &whole.by));
                }
                if whole.recipient == Some(user(theirs)) {
                    prop_assert_eq!((&event.recipient, &event.reason, &event.text), (&whole.recipient, &whole.reason, &whole.text));
                }
                let told = format!("{event:?}");
                prop_assert!(!told.contains("private") && !told.contains("another's"));
                for other in (0..3u8).filter(|other| *other != theirs) {
                    prop_assert!(!told.contains(&mentor(other)) && !told.contains(&user(other)) && !told.contains(&format!("said of {other}")), "{}", told);
                }
            }
        }

        /// Of a mentor who is away, those hear who have the assignment meanwhile.
        #[test]
        fn a_mentors_pause_is_told_once_to_each_time_that_it_was_theirs(
            mentors in prop::collection::vec(0..2u8, 1..8), made in 0..20i64, is_over in any::<bool>(),
        ) {
            let mentor = |number: u8| format!("mentor {number}");
            let changes = (2..).zip(mentors.windows(2)).filter(|(_, pair)| pair[0] != pair[1])
                .map(|(at, pair)| change(at, Operation::Updated(values(json!({"peer_mentor_id": mentor(pair[0])})))))
                .collect::<Vec<_>>();
            let present = values(json!({"peer_mentor_id": mentor(*mentors.last().expect("one")), "created_micros": 1, "created_day": "2026-01-01"}));
            let until = if is_over { json!("2025-12-31") } else { Value::Null };
            let pause = values(json!({"peer_mentor_id": mentor(0), "paused_from": "2025-12-01", "paused_until": until, "created_micros": made}));
            let rows = [assignment(Some(present), changes), Row { table: "mentor_pauses".into(), id: "p".into(), present: Some(pause), changes: vec![] }];
            // At each moment, who has it: from 1 on.
            let spans: Vec<(i64, i64)> = {
                let mut spans = Vec::new();
                for (at, number) in (1..).zip(&mentors) {
                    match spans.last_mut() {
                        Some((_, end, last)) if last == number => *end = at + 1,
                        _ => spans.push((at, at + 1, *number)),
                    }
                }
                if let Some(last) = spans.last_mut() { last.1 = i64::MAX; }
                spans.into_iter().filter(|span| span.2 == 0).map(|(begin, end, _)| (begin, end)).collect()
            };
            let expected: Vec<i64> = spans.iter()
                .filter(|(begin, end)| made < *end && (made >= *begin || !is_over))
                .map(|(begin, _)| made.max(*begin)).collect();
            let found: Vec<i64> = told(&rows).iter().filter(|event| event.code == "mentor_paused").map(|event| event.happened_at).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_was_deleted_and_inserted_again_was_there_twice() {
        let version = |created: i64| values(json!({"created_micros": created, "status": "open"}));
        let rows = [assignment(Some(version(20)), vec![change(10, Operation::Deleted(version(1)))])];
        let codes: Vec<(Moment, &str)> = told(&rows).iter().map(|event| (event.happened_at, event.code)).collect();
        assert_eq!(codes, [(1, "created"), (10, "deleted"), (20, "created")]);
    }

    #[test]
    fn what_went_with_the_assignment_is_not_told_one_by_one() {
        let version =
            |created: i64| values(json!({"created_micros": created, "assignment_id": ID, "occurred_micros": created}));
        let contact = |id: &str, at| Row {
            table: "activities".into(),
            id: id.into(),
            present: None,
            changes: vec![change(at, Operation::Deleted(version(2)))],
        };
        let rows = [
            assignment(None, vec![change(10, Operation::Deleted(version(1)))]),
            contact("before", 9),
            contact("with", 11),
        ];
        let told: Vec<(Moment, &str)> = told(&rows).iter().map(|event| (event.happened_at, event.code)).collect();
        let expected = [(1, "created"), (2, "contact"), (2, "contact"), (9, "contact_deleted"), (10, "deleted")];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_an_older_statement_inserts_late_was_made_then_and_recorded_later() {
        let version = values(json!({"created_micros": -50, "status": "open"}));
        let rows = [assignment(Some(version), vec![change(10, Operation::Inserted)])];
        let events = told(&rows);
        assert_eq!((events[0].happened_at, events[0].recorded_at, events.len()), (-50, 10, 1));
    }
}
