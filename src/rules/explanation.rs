//! Why an assignment is followed up today, or is not: in gates, each with its value and verdict, and in sentences, each with a code. It decides nothing:
//! what it tells of was decided by follow_up.rs, calendar.rs, outbox.rs and outlook.rs.

use chrono::{Datelike, NaiveDate};

use super::calendar::{Calendar, Span};
use super::follow_up::{Action, Called, Days, Reminded, reminded};
use super::outlook::{self, Forgotten, Outlook, State};
use super::timeline::Event;

/// Days that do not count, and why.
#[derive(Clone, Debug)]
pub struct Stop {
    pub span: Span,
    pub cause: Cause,
    /// What somebody gave as the reason.
    pub reason: Option<String>,
}

/// Why a day does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    BeforeFollowUp,
    DayOff,
    Weekly,
    Pause,
    MentorAway,
    NotOpen,
}

impl Cause {
    /// The code that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeFollowUp => "before_follow_up",
            Self::DayOff => "day_off",
            Self::Weekly => "weekly",
            Self::Pause => "pause",
            Self::MentorAway => "mentor_away",
            Self::NotOpen => "not_open",
        }
    }

    /// Of several for one day, the first is told: what holds for all, then the assignment's own, then the mentor's.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::BeforeFollowUp => 0,
            Self::Weekly => 1,
            Self::DayOff => 2,
            Self::Pause | Self::NotOpen => 3,
            Self::MentorAway => 4,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::BeforeFollowUp => "before the programme began to follow up",
            Self::DayOff => "day off",
            Self::Weekly => "weekly day off",
            Self::Pause => "paused",
            Self::MentorAway => "mentor away",
            Self::NotOpen => "not open",
        }
    }
}

/// Some days in a row that do not count for the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCounted {
    pub first: NaiveDate,
    pub last: NaiveDate,
    pub cause: Cause,
    pub reason: Option<String>,
}

impl NotCounted {
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.last - self.first).num_days() + 1
    }
}

/// The days after `since`, up to and with `as_of`, that do not count. Each has one cause: what holds for all comes before what holds for this assignment.
#[must_use]
pub fn not_counted(since: NaiveDate, as_of: NaiveDate, calendar: &Calendar, stops: &[Stop]) -> Vec<NotCounted> {
    let mut found: Vec<NotCounted> = Vec::new();
    for day in since.iter_days().skip(1).take_while(|day| *day <= as_of) {
        let Some((cause, reason)) = why_not_counted(day, calendar, stops) else { continue };
        match found.last_mut() {
            Some(last) if last.last.succ_opt() == Some(day) && last.cause == cause && last.reason == reason => {
                last.last = day;
            }
            _ => found.push(NotCounted { first: day, last: day, cause, reason }),
        }
    }
    found
}

fn why_not_counted(day: NaiveDate, calendar: &Calendar, stops: &[Stop]) -> Option<(Cause, Option<String>)> {
    if calendar.from.is_some_and(|from| day < from) {
        return Some((Cause::BeforeFollowUp, None));
    }
    if calendar.weekly.contains(day.weekday()) {
        return Some((Cause::Weekly, None));
    }
    stops.iter().find(|stop| stop.span.contains(day)).map(|stop| (stop.cause, stop.reason.clone()))
}

/// What is asked before somebody is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    pub name: &'static str,
    pub value: String,
    pub is_passed: bool,
}

/// A sentence of the explanation. The code stays; the words may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub code: &'static str,
    pub text: String,
}

/// What became of a message in this silence, as a timeline tells it.
#[derive(Clone, Debug)]
pub struct Happened {
    pub event: Event,
    /// The day of it, where the organization is.
    pub day: NaiveDate,
    pub kind: Action,
    /// Whom it went to.
    pub name: Option<String>,
}

/// What is told of.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // facts
pub struct Facts<'a> {
    pub outlook: outlook::Facts<'a>,
    pub status: &'a str,
    pub is_followed_up: bool,
    pub has_contact: bool,
    pub stops: &'a [Stop],
    pub mentor: Option<&'a str>,
    /// Whoever is told instead of the mentor: the coordinator, or the fallback.
    pub coordinator: Option<&'a str>,
    pub escalated_on: Option<NaiveDate>,
    /// What the outbox holds of the type that is called for: its status, or why it was skipped. `None`: nothing.
    pub enqueued: Option<&'a str>,
    /// Whether a run would enqueue what is called for: nothing is there, or it is armed again.
    pub is_free: bool,
    /// Whether it is the organization's turn in a run, and from which hour on it is.
    pub is_turn: bool,
    pub evaluation_hour: Option<i32>,
    /// In order.
    pub happened: &'a [Happened],
    /// Whether it is the mentor who is told.
    pub is_to_mentor: bool,
}

/// What a run would do with it, and why.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What the silence calls for today, whether it was enqueued or not. None of one that is not open or not followed up.
    pub action: Action,
    /// Whether a run would enqueue it now.
    pub would_enqueue: bool,
    pub counted_days: i32,
    pub not_counted: Vec<NotCounted>,
    /// `None`: nobody follows it up.
    pub outlook: Option<Outlook>,
    pub gates: Vec<Gate>,
    pub sentences: Vec<Sentence>,
}

impl Explanation {
    /// The sentences, one after the other.
    #[must_use]
    pub fn paragraph(&self) -> String {
        self.sentences.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// Explains what was decided. `called` is what a run finds that the silence calls for.
#[must_use]
pub fn explain(facts: &Facts, called: Called) -> Explanation {
    let outlook::Facts { silence, calendar, as_of, .. } = facts.outlook;
    let is_followed_up = facts.status == "open" && facts.is_followed_up && facts.outlook.has_settings;
    let action = if is_followed_up { called.evaluation.action } else { Action::None };
    let outlook = (facts.status == "open" && facts.is_followed_up).then(|| outlook::outlook(&facts.outlook));
    let counted_days = calendar.counted_days(silence.since, as_of, silence.stopped);
    let not_counted = not_counted(silence.since, as_of, calendar, facts.stops);
    let would_enqueue = action != Action::None && facts.is_free && facts.is_turn;
    let gates = gates(facts, action, counted_days);
    let sentences = sentences(facts, outlook, counted_days, &not_counted, would_enqueue);
    Explanation { action, would_enqueue, counted_days, not_counted, outlook, gates, sentences }
}

fn gates(facts: &Facts, action: Action, counted_days: i32) -> Vec<Gate> {
    let outlook::Facts { silence, thresholds, calendar, as_of, .. } = facts.outlook;
    let gate = |name, value: String, is_passed| Gate { name, value, is_passed };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_string();
    let off = why_not_counted(as_of, calendar, facts.stops).map(|(cause, _)| cause);
    let is_off_for_all = calendar.is_off(as_of);
    let is_stopped = silence.stopped.iter().any(|span| span.contains(as_of));
    let of = |threshold: Option<Days>| threshold.map_or_else(|| "off".to_string(), |days| days.number().to_string());
    let is_reached = |threshold: Option<Days>| threshold.is_some_and(|days| counted_days >= days.number());
    let reminded = reminded(silence, thresholds, as_of);
    let (reminded_on, since_reminder) = match reminded {
        Reminded::Not => ("no".to_string(), None),
        Reminded::Unreachable => (facts.outlook.mentor_unreachable.unwrap_or("unreachable").to_string(), None),
        Reminded::On(on) => (on.to_string(), Some(calendar.counted_days(on, as_of, silence.stopped).max(0))),
    };
    let grace = thresholds.escalation_grace;
    let recipient = match action {
        Action::Escalate => facts.outlook.coordinator_unreachable,
        Action::Remind | Action::None => facts.outlook.mentor_unreachable,
    };
    // Whether somebody else wants no messages is not the mentor's to know.
    let told = |value: &'static str, own: &str| {
        if facts.is_to_mentor && action == Action::Escalate { value.to_string() } else { own.to_string() }
    };
    vec![
        gate("open", facts.status.to_string(), facts.status == "open"),
        gate("followed_up", yes(facts.is_followed_up), facts.is_followed_up),
        gate("has_settings", yes(facts.outlook.has_settings), facts.outlook.has_settings),
        gate("day_on", off.filter(|_| is_off_for_all).map_or("yes", Cause::name).to_string(), !is_off_for_all),
        gate("not_paused", off.filter(|_| is_stopped).map_or("yes", Cause::name).to_string(), !is_stopped),
        gate(
            "reminder_after_days",
            format!("{counted_days} of {}", of(thresholds.reminder_after)),
            is_reached(thresholds.reminder_after),
        ),
        gate(
            "escalate_after_days",
            format!("{counted_days} of {}", of(thresholds.escalate_after)),
            is_reached(thresholds.escalate_after),
        ),
        gate("mentor_reminded", reminded_on, reminded != Reminded::Not),
        gate(
            "escalation_grace_days",
            since_reminder
                .map_or_else(|| format!("- of {}", grace.number()), |days| format!("{days} of {}", grace.number())),
            reminded == Reminded::Unreachable || since_reminder.is_some_and(|days| days >= grace.number()),
        ),
        gate("not_enqueued", facts.enqueued.map_or("yes".to_string(), |status| told("no", status)), facts.is_free),
        gate("hour_reached", facts.evaluation_hour.map_or("any".to_string(), |hour| hour.to_string()), facts.is_turn),
        gate("not_held", yes(!facts.outlook.is_held), !facts.outlook.is_held),
        gate("reachable", recipient.map_or("yes".to_string(), |why| told("no", why)), recipient.is_none()),
    ]
}

fn sentences(
    facts: &Facts,
    outlook: Option<Outlook>,
    counted_days: i32,
    not_counted: &[NotCounted],
    would_enqueue: bool,
) -> Vec<Sentence> {
    let mut told: Vec<Sentence> = Vec::new();
    let mut tell = |code, text: String| told.push(Sentence { code, text });
    let outlook::Facts { silence, as_of, .. } = facts.outlook;
    let days = (as_of - silence.since).num_days();
    let how_long = match days {
        0 => "today".to_string(),
        1 => "yesterday".to_string(),
        days if days > 0 => format!("{days} days ago"),
        _ => "in the future".to_string(),
    };
    if facts.has_contact {
        tell("silent_since", format!("The silence began on {}, {how_long}.", date(silence.since)));
    } else {
        tell(
            "never_contacted",
            format!("There was no contact since it was assigned on {}, {how_long}.", date(silence.since)),
        );
    }
    let Some(outlook) = outlook else {
        told.extend(what_happened(facts.happened, &[]));
        let mut tell = |code, text: String| told.push(Sentence { code, text });
        if facts.status == "open" {
            tell("not_followed_up", "Its silence is not followed up: due dates only.".to_string());
        } else {
            tell("not_open", format!("It is {}: nobody is reminded of its silence.", facts.status));
        }
        return told;
    };
    if !not_counted.is_empty() {
        let spans: Vec<String> = not_counted.iter().filter(|span| span.cause != Cause::Weekly).map(in_words).collect();
        let weekly: i64 = not_counted.iter().filter(|span| span.cause == Cause::Weekly).map(NotCounted::days).sum();
        let weekly = (weekly > 0).then(|| format!("{weekly} weekly {} off", if weekly == 1 { "day" } else { "days" }));
        let list = weekly.into_iter().chain(spans).collect::<Vec<_>>().join("; ");
        tell("days_not_counted", format!("{counted_days} of these days count; the others do not: {list}."));
    }
    let mut stage = Vec::new();
    tell_of_stage(facts, outlook, counted_days, &mut stage);
    told.extend(what_happened(facts.happened, &stage));
    told.extend(stage);
    tell_of_what_comes(facts, outlook, would_enqueue, &mut told);
    told
}

/// What became of the last message of each kind, with the code of what happened last; but for what the sentences of its stage tell.
fn what_happened(happened: &[Happened], stage: &[Sentence]) -> Vec<Sentence> {
    let last = [Action::Remind, Action::Escalate].into_iter().filter_map(|kind| {
        let mut told: Option<(&Happened, Option<&Happened>)> = None;
        for next in happened.iter().filter(|happened| happened.kind == kind) {
            told = match next.event.code {
                // Of one that waits, the stage tells.
                "reminder_enqueued" | "reminder_rearmed" => None,
                "reminder_readdressed" => told,
                "message_sent" => Some((next, Some(next))),
                _ => Some((next, told.and_then(|(_, sent)| sent))),
            };
        }
        told
    });
    let is_told = |codes: &[&str]| stage.iter().any(|sentence| codes.contains(&sentence.code));
    last.filter(|(fate, _)| match fate.event.code {
        "message_sent" | "message_delivered" => !is_told(match fate.kind {
            Action::Escalate => &["escalated"],
            Action::Remind | Action::None => &["reminded"],
        }),
        "message_given_up" => fate.kind == Action::Escalate || !is_told(&["reminder_given_up"]),
        "reminder_skipped" => fate.kind == Action::Escalate || !is_told(&["mentor_unreachable"]),
        _ => true,
    })
    .map(|(fate, sent)| Sentence { code: fate.event.code, text: became(fate, sent) })
    .collect()
}

fn became(fate: &Happened, sent: Option<&Happened>) -> String {
    let (what, nobody) = match fate.kind {
        Action::Escalate => ("A message", "the coordinator"),
        // To a mentor, whose it was before is not told.
        Action::Remind | Action::None if fate.event.recipient.is_none() => ("A reminder", "a mentor"),
        Action::Remind | Action::None => ("A reminder", "the mentor"),
    };
    let to = fate.name.as_deref().unwrap_or(nobody);
    let why = || fate.event.reason.as_deref().map_or_else(String::new, |why| format!(": {}", in_plain_words(why)));
    let on = date(fate.day);
    let after = match fate.event.code {
        "message_sent" => return format!("{what} was sent to {to} on {on}."),
        "reminder_withdrawn" => return format!("{what} to {to} was withdrawn on {on}{}.", why()),
        "reminder_skipped" => return format!("{what} to {to} was not sent on {on}{}.", why()),
        "message_failed" => return format!("{what} to {to} could not be sent on {on}."),
        "message_given_up" => return format!("{what} to {to} could not be sent, and was given up on {on}."),
        "message_claimed" => return format!("{what} to {to} was being sent when it was deleted on {on}."),
        "message_delivered" => "was delivered",
        "message_rejected" => "was rejected",
        "message_complained" => "was complained of",
        "message_unsubscribed" => "was answered by unsubscribing",
        _ => "bounced",
    };
    match sent {
        Some(sent) => format!("{what} was sent to {to} on {}; it {after} on {on}.", date(sent.day)),
        None => format!("{what} to {to} {after} on {on}."),
    }
}

/// How far the silence has got.
fn tell_of_stage(facts: &Facts, outlook: Outlook, counted_days: i32, told: &mut Vec<Sentence>) {
    let mut tell = |code, text: String| told.push(Sentence { code, text });
    let outlook::Facts { silence, thresholds, as_of, .. } = facts.outlook;
    let (mentor, coordinator) = (facts.mentor.unwrap_or("the mentor"), facts.coordinator.unwrap_or("the coordinator"));
    let (mentor_first, coordinator_first) =
        (facts.mentor.unwrap_or("The mentor"), facts.coordinator.unwrap_or("The coordinator"));
    let not_yet = |days: Days| format!("{} counted days; so far there are {counted_days}", days.number());
    match outlook.state {
        State::ReminderWaits => tell("reminder_waits", format!("The reminder to {mentor} waits to be sent.")),
        State::EscalationWaits => tell("escalation_waits", format!("The message to {coordinator} waits to be sent.")),
        State::Escalated => {
            // Of what came back, what happened tells.
            if let Some(on) = facts.escalated_on.filter(|_| outlook.forgotten != Some(Forgotten::EscalationReturned)) {
                tell("escalated", format!("The coordinator was told on {}.", date(on)));
            }
            if silence.reminder.is_some_and(|reminder| reminder.status == "pending") {
                tell("reminder_waits", format!("The reminder to {mentor} waits to be sent."));
            }
        }
        State::Silent | State::Reminded => {
            match reminded(silence, thresholds, as_of) {
                Reminded::On(on) => {
                    let (code, what) = match silence.reminder.map(|reminder| reminder.status) {
                        Some("sent") => ("reminded", "was reminded"),
                        _ => ("reminder_given_up", "could not be reminded"),
                    };
                    tell(code, format!("{mentor_first} {what} on {}.", date(on)));
                }
                Reminded::Unreachable => {
                    let why = facts.outlook.mentor_unreachable.map_or("unreachable", in_plain_words);
                    tell("mentor_unreachable", format!("{mentor_first} cannot be reminded: {why}."));
                }
                Reminded::Not => match thresholds.reminder_after {
                    Some(days) if counted_days < days.number() => {
                        tell("reminder_not_due", format!("{mentor_first} is reminded after {}.", not_yet(days)));
                    }
                    Some(days) => {
                        tell(
                            "reminder_due",
                            format!("{} is to be reminded: {} counted days have passed.", mentor_first, days.number()),
                        );
                    }
                    None => {}
                },
            }
            if reminded(silence, thresholds, as_of) != Reminded::Not
                && let Some(days) = thresholds.escalate_after
            {
                if counted_days < days.number() {
                    tell("escalation_not_due", format!("{coordinator_first} is told after {}.", not_yet(days)));
                } else if outlook.next == Some((Action::Escalate, as_of)) {
                    tell(
                        "escalation_due",
                        format!("{} is to be told: {} counted days have passed.", coordinator_first, days.number()),
                    );
                } else {
                    let grace = thresholds.escalation_grace.number();
                    tell("grace", format!("{mentor_first} has {grace} counted days after the reminder."));
                }
            }
        }
    }
}

/// What stops it today, and what comes next.
fn tell_of_what_comes(facts: &Facts, outlook: Outlook, would_enqueue: bool, told: &mut Vec<Sentence>) {
    let mut tell = |code, text: String| told.push(Sentence { code, text });
    let outlook::Facts { calendar, as_of, .. } = facts.outlook;
    let (mentor, coordinator) = (facts.mentor.unwrap_or("the mentor"), facts.coordinator.unwrap_or("the coordinator"));
    if let Some((cause, reason)) = why_not_counted(as_of, calendar, facts.stops) {
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        tell("not_today", format!("Nothing is enqueued today: {}{reason}.", cause.words()));
    } else if outlook.next.is_some_and(|(_, on)| on == as_of)
        && facts.is_free
        && !facts.is_turn
        && outlook.forgotten.is_none()
    {
        let hour = facts.evaluation_hour.map_or_else(String::new, |hour| format!(" from {hour} o'clock on"));
        tell("not_yet", format!("The organization is evaluated{hour}."));
    }
    if would_enqueue && outlook.forgotten.is_none() {
        tell("next_run", "The next run enqueues it.".to_string());
    }
    match (outlook.forgotten, outlook.next) {
        (Some(why), _) => tell(why.name(), why_forgotten(why, facts.outlook.mentor_unreachable.is_none()).to_string()),
        (None, Some((action, on))) if on > as_of => {
            let who = match action {
                Action::Escalate => format!("{coordinator} is told"),
                Action::Remind | Action::None => format!("{mentor} is reminded"),
            };
            tell("next", format!("If nothing changes, {who} on {}.", date(on)));
        }
        (None, None) => tell("nothing_follows", "Nothing follows until there is contact.".to_string()),
        (None, Some(_)) => {}
    }
}

const fn why_forgotten(why: Forgotten, is_mentor_reachable: bool) -> &'static str {
    match why {
        Forgotten::NoRecipient if is_mentor_reachable => {
            "Nobody but the mentor will hear of it: no coordinator can be written to."
        }
        Forgotten::NoRecipient => "Nobody will hear of it: neither the mentor nor a coordinator can be written to.",
        Forgotten::EscalationFailed => "Nobody will hear of it: the message to the coordinator was given up.",
        Forgotten::EscalationReturned => "Nobody will hear of it: the message to the coordinator came back.",
        Forgotten::Held => "It is held: the organization's follow-ups wait for somebody to release them.",
        Forgotten::NoSettings => "Nobody will hear of it: the organization has no settings.",
        Forgotten::NeverDue => "Nobody will hear of it: no day reaches the threshold.",
        Forgotten::PausedForGood => "It is paused until further notice.",
        Forgotten::RemindersOff => "The organization has switched reminders off.",
        Forgotten::EscalationsOff => "The organization has switched escalations off.",
    }
}

fn in_words(span: &NotCounted) -> String {
    let days =
        if span.first == span.last { date(span.first) } else { format!("{} to {}", date(span.first), date(span.last)) };
    match &span.reason {
        Some(reason) => format!("{days} ({}: {reason})", span.cause.words()),
        None => format!("{days} ({})", span.cause.words()),
    }
}

pub(super) fn in_plain_words(skip_reason: &str) -> &str {
    match skip_reason {
        "no_mentor" => "there is no mentor",
        "opted_out" => "they want no messages",
        "muted" => "they have muted reminders",
        "no_address" => "they have no address",
        "no_coordinator" => "there is no coordinator",
        other => other,
    }
}

fn date(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::super::calendar::DaysOfWeek;
    use super::*;

    const TODAY: NaiveDate = match NaiveDate::from_ymd_opt(2026, 11, 22) {
        Some(date) => date,
        None => unreachable!(),
    };

    fn on(days: i64) -> NaiveDate {
        TODAY + TimeDelta::days(days)
    }

    fn stop(first: i64, last: i64, cause: Cause, reason: &str) -> Stop {
        Stop { span: Span { first: on(first), last: on(last) }, cause, reason: Some(reason.to_string()) }
    }

    fn happened(kind: Action, code: &'static str, day: i64, name: Option<&str>, reason: Option<&str>) -> Happened {
        let event = Event {
            happened_at: day,
            recorded_at: day,
            code,
            row: None,
            old: None,
            new: None,
            reason: reason.map(str::to_string),
            reminder_type: None,
            recipient: None,
            by: None,
            user: None,
            text: String::new(),
        };
        Happened { event, day: on(day), kind, name: name.map(str::to_string) }
    }

    #[test]
    fn of_each_kind_the_fate_of_the_last_message_is_told_unless_the_stage_tells_it() {
        let remind = |code, day| happened(Action::Remind, code, day, Some("Kari"), None);
        let told = |happened: &[Happened], stage: &[&'static str]| {
            let stage: Vec<Sentence> = stage.iter().map(|code| Sentence { code, text: String::new() }).collect();
            let told = what_happened(happened, &stage);
            told.into_iter().map(|sentence| format!("{}: {}", sentence.code, sentence.text)).collect::<Vec<_>>()
        };
        let enqueued = remind("reminder_enqueued", -5);
        let sent = [enqueued.clone(), remind("message_sent", -4)];
        assert_eq!(told(&sent, &[]), ["message_sent: A reminder was sent to Kari on 18 November 2026."]);
        assert_eq!(told(&sent, &["reminded"]), [""; 0]);
        let bounced = [&sent[..], &[remind("message_bounced", -2)]].concat();
        assert_eq!(
            told(&bounced, &["reminded"]),
            ["message_bounced: A reminder was sent to Kari on 18 November 2026; it bounced on 20 November 2026."]
        );
        // The next one waits, and the stage says so.
        let again = [&bounced[..], &[remind("reminder_rearmed", -1), remind("reminder_readdressed", -1)]].concat();
        assert_eq!(told(&again, &["reminder_waits"]), [""; 0]);
        let failed = [enqueued, remind("message_failed", -3)];
        assert_eq!(
            told(&failed, &["reminder_waits"]),
            ["message_failed: A reminder to Kari could not be sent on 19 November 2026."]
        );
        let skipped = happened(Action::Escalate, "reminder_skipped", -1, None, Some("opted_out"));
        assert_eq!(
            told(&[&failed[..], &[skipped]].concat(), &["mentor_unreachable"])[1],
            "reminder_skipped: A message to the coordinator was not sent on 21 November 2026: they want no messages."
        );
    }

    #[test]
    fn days_that_do_not_count_are_told_in_rows_with_their_cause() {
        let calendar = Calendar {
            weekly: DaysOfWeek::of(&[6, 7]).expect("a weekend"),
            off: vec![Span { first: on(-11), last: on(-10) }],
            from: None,
        };
        let stops = [stop(-11, -10, Cause::DayOff, "holiday"), stop(-4, -3, Cause::Pause, "ill")];
        let found = not_counted(on(-13), TODAY, &calendar, &stops);
        let told: Vec<String> = found.iter().map(in_words).collect();
        assert_eq!(
            told,
            [
                "11 November 2026 to 12 November 2026 (day off: holiday)",
                "14 November 2026 to 15 November 2026 (weekly day off)",
                "18 November 2026 to 19 November 2026 (paused: ill)",
                "21 November 2026 to 22 November 2026 (weekly day off)",
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_told_not_to_count_is_what_is_not_counted(
            weekdays in proptest::collection::vec(1..=7i32, 0..4),
            off in proptest::collection::vec((-80..10i64, 0..20i64), 0..5),
            paused in proptest::collection::vec((-80..10i64, 0..20i64), 0..4),
            from in proptest::option::of(-80..5i64),
            since in -80..1i64,
        ) {
            let stop_of = |cause| move |(first, length): (i64, i64)| stop(first, first + length, cause, "x");
            let off: Vec<Stop> = off.into_iter().map(stop_of(Cause::DayOff)).collect();
            let paused: Vec<Stop> = paused.into_iter().map(stop_of(Cause::Pause)).collect();
            let spans = |stops: &[Stop]| stops.iter().map(|stop| stop.span).collect::<Vec<Span>>();
            let calendar = Calendar {
                weekly: DaysOfWeek::of(&weekdays).expect("weekdays"),
                off: spans(&off),
                from: from.map(on),
            };
            let stopped = spans(&paused);
            let stops: Vec<Stop> = off.into_iter().chain(paused).collect();
            let told: i64 = not_counted(on(since), TODAY, &calendar, &stops).iter().map(NotCounted::days).sum();
            let counted = calendar.counted_days(on(since), TODAY, &stopped);
            prop_assert_eq!(told, -since - i64::from(counted));
        }
    }
}
