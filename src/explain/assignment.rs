//! explain_assignment: the facts that a run decides by, what it decides, and why. The words are src/rules/explanation.rs's.

use chrono::SecondsFormat;
use pgrx::datum::datetime_support::now;
use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{JsonB, PgSqlErrorCode, Uuid};
use serde_json::{Value, json};

use crate::access::Mentor;
use crate::arguments;
use crate::bindings::Known;
use crate::explain::organization_ever_of;
use crate::explain::timeline::{Within, mentored_since, names_as_of, reminders};
use crate::organization::organization_of;
use crate::rules::calendar::Span;
use crate::rules::explanation::{self, Cause, Explanation, Happened, Stop, explain};
use crate::rules::follow_up::{Action, Called, Evaluation};
use crate::rules::outlook::{self, Escalation, Forgotten};
use crate::rules::timeline;
use crate::server::calendar::{date, nearest_date, nearest_moment};
use crate::server::errors::{Result, broken_statement, error, null_argument, unknown};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::Row;
use crate::server::statement::{Statement, types};

returns!(
    /// Why an assignment is or is not followed up.
    Explained: SetOf,
    "TABLE (organization_id uuid, assignment_id uuid, title text, today date, action text, would_enqueue boolean, state text, silent_since date, \
     days_since integer, counted_days integer, days_not_counted jsonb, reminder_after_days integer, escalate_after_days integer, \
     escalation_grace_days integer, mentor_id uuid, mentor_name text, coordinator_id uuid, coordinator_name text, next_action text, next_on date, \
     forgotten text, gates jsonb, happened jsonb, sentences jsonb, explanation text)"
);

/// Why an assignment is followed up at as_of, or is not: one row. action: what its silence calls for that day, whether it was enqueued or not (none where it
/// is not open, or not followed up); would_enqueue: whether evaluate_assignments would return it. state, next_action, next_on, forgotten: as
/// assignment_outlooks says them (NULL where nobody follows it up). days_not_counted: spans of days since the silence began that do not count
/// (first_day, last_day, days, cause, reason). The coordinator is whoever is told instead of the mentor: the assignment's, or the
/// fallback. gates: what is asked before anybody is written to (gate, value, is_passed). sentences: code and text, of which explanation is made; the codes
/// stay, the words may change. happened: what became of the messages of this silence, in order, with the codes of
/// assignment_timeline() (happened_at in UTC, event, reminder_type, recipient_id, recipient_name, reason, text). A moment that has passed is explained as things stood then, as far as the history tells. known_at: by what was known when
/// (NULL: at as_of); now() explains an earlier day by settings, people, contacts and outbox as they are now.
///
/// Mentors have explanations of what is theirs, without whom coordinators are, or why they cannot be written to.
///
/// 02000 for an assignment that is not, or was not, there; 22004 for NULL, 22008 for an infinite as_of, 22023 for what was known before the history
/// begins (history_known_since()), 42501 where row security may hide rows: coordinators and admins have the explanations of their organization, and mentors
/// those of what is theirs, and was at that moment.
#[pg_extern(stable)]
fn explain_assignment(
    assignment_id: Option<Uuid>,
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
    known_at: default!(Option<TimestampWithTimeZone>, "NULL"),
) -> Result<SetOf<Explained>> {
    // Planned under our path, since the planner reads the text of assignment_silences.
    static FACTS: Statement = Statement::at_each_call(
        include_str!("../../sql/explain/assignment.sql"),
        &[types::UUID, types::MOMENT, types::MOMENT, types::UUID],
    );
    const WHOLE: Whole = Whole::reads(&[
        "assignments",
        "assignment_pauses",
        "organizations",
        "organization_evaluations",
        "reminder_settings",
        "days_off",
        "peer_mentors",
        "mentor_pauses",
        "users",
        "user_preferences",
        "reminders",
        "send_logs",
    ]);
    const PAST: Whole = Whole::reads(&["row_history", "reminder_events", "activities", "contact_corrections"]);
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let as_of = arguments::as_of(as_of)?;
    let known_at = Some(known_at.unwrap_or(as_of)).filter(|moment| moment.into_inner() < now().into_inner());
    // Of one that was deleted since, too.
    let organization = match known_at {
        Some(_) => organization_ever_of(id)?.map(|(organization, _)| organization),
        None => organization_of(id)?,
    };
    let mentor = Mentor::of(id)?;
    // Kept: what is returned must not lie in the memory of the statement.
    let facts = || FACTS.read_rows(&[id.into(), as_of.into(), known_at.into(), organization.into()]);
    let found = if mentor.is_some() {
        as_owner_of("assignments", facts)?
    } else {
        WHOLE.require_in(|| Ok(organization))?;
        if known_at.is_some() {
            PAST.require_in(|| Ok(organization))?;
        }
        facts()?
    };
    let row = found.rows().next().ok_or_else(|| match known_at {
        Some(moment) => not_there(id, moment),
        None => unknown("assignment", "assignments", id),
    })?;
    if let Some(mentor) = mentor
        && row.get::<Uuid>("peer_mentor_id")? != Some(mentor.id)
    {
        return Err(not_theirs(id, known_at.unwrap_or(as_of)));
    }
    // Whoever may read what is explained may know what came of it, also without a right on reminder_events, which workers have not.
    let happened = as_owner_of("reminder_events", || happened(id, row, known_at, mentor))?;
    explained(id, row, &happened, mentor.is_some())
}

fn not_theirs(id: Uuid, moment: TimestampWithTimeZone) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("assignment {id} was not the current mentor's at {moment}"),
        "Mentors have explanations of the time in which an assignment is theirs.",
        "Ask of a later moment, or have a coordinator of the organization ask.",
    )
}

/// What became of the messages of the silence that a row explains, by what was known at a moment.
fn happened(
    id: Uuid,
    row: &Row,
    known_at: Option<TimestampWithTimeZone>,
    mentor: Option<Mentor>,
) -> Result<Vec<Happened>> {
    let (reminder, escalation): (String, String) = (row.not_null("reminder")?, row.not_null("escalation")?);
    let within = Within { moment: known_at, anchor: row.get("anchor")? };
    let timezone: String = row.not_null("timezone")?;
    let mut reminders = reminders(id, None, within, &timezone)?;
    if let Some(mentor) = mentor {
        let since = mentored_since(id, known_at, &timezone)?;
        reminders.retain(|reminder| reminder.at >= since);
        let user = mentor.user.to_string();
        for reminder in &mut reminders {
            reminder.hide_from(&user);
        }
    }
    let names = names_as_of(&reminders, known_at, row.not_null("organization_id")?)?;
    let happened = reminders.iter().filter_map(|told| {
        let kind = match told.reminder_type.as_ref()? {
            kind if *kind == reminder => Action::Remind,
            kind if *kind == escalation => Action::Escalate,
            _ => return None,
        };
        let event = timeline::of_reminder(told, &names)?;
        let name = event.recipient.as_ref().and_then(|id| names.get(id)).cloned();
        Some(Happened { event, day: told.day, kind, name })
    });
    Ok(happened.collect())
}

fn not_there(id: Uuid, moment: TimestampWithTimeZone) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_NO_DATA,
        format!("assignment {id} was not there at {moment}"),
        "Neither assignment_reminders.assignments nor row_history holds a row of it that is visible to the current role.",
        "Check the id and the moment. known_at => now() explains an earlier day by what is known now.",
    )
}

/// To a mentor, what concerns whoever is told of their silence is not told: who that is, and why they are not written to.
fn explained(id: Uuid, row: &Row, happened: &[Happened], is_to_mentor: bool) -> Result<SetOf<Explained>> {
    let known = Known::of(row)?;
    let text = |name| row.get::<String>(name);
    // Whoever is forgotten has an empty name.
    let name_of = |name| Ok(text(name)?.filter(|name| !name.is_empty()));
    let coordinator_unreachable = text("coordinator_unreachable")?;
    let (escalation_status, escalation_skip_reason) = (text("escalation_status")?, text("escalation_skip_reason")?);
    let has_come_back = row.get("escalation_has_come_back")? == Some(true);
    let is_for_another = row.get("escalation_is_for_another")? == Some(true);
    let (status, enqueued) = (row.not_null::<String>("status")?, text("enqueued")?);
    let (mentor, coordinator) = (name_of("mentor_name")?, name_of("coordinator_name")?.filter(|_| !is_to_mentor));
    let stops = stops(row)?;
    let facts = explanation::Facts {
        outlook: outlook::Facts {
            silence: known.silence(),
            thresholds: known.thresholds,
            calendar: &known.calendar,
            as_of: known.as_of,
            mentor_unreachable: known.mentor_unreachable.as_deref(),
            coordinator_unreachable: coordinator_unreachable.as_deref(),
            escalation: escalation_status.as_deref().map(|status| Escalation {
                status,
                skip_reason: escalation_skip_reason.as_deref(),
                has_come_back,
                is_for_another,
            }),
            is_held: row.not_null("is_held")?,
            has_settings: row.not_null("has_settings")?,
        },
        status: &status,
        is_followed_up: row.not_null("follow_up")?,
        has_contact: row.not_null("has_contact")?,
        stops: &stops,
        mentor: mentor.as_deref(),
        coordinator: coordinator.as_deref(),
        escalated_on: row.get::<Date>("escalated_on")?.map(nearest_date),
        enqueued: enqueued.as_deref(),
        is_free: row.not_null("is_free")?,
        is_turn: row.not_null("is_turn")?,
        evaluation_hour: row.get("evaluation_hour")?,
        happened,
        is_to_mentor,
    };
    let action = Action::named(&row.not_null::<String>("action")?)
        .ok_or_else(|| broken_statement("the statement returned an unknown action"))?;
    let called = Called {
        evaluation: Evaluation { action, days_since: row.not_null("days_since")? },
        due_on: row.get::<Date>("due_on")?.map(nearest_date),
    };
    let explanation = explain(&facts, called);
    let outlook = explanation.outlook;
    let next = outlook.and_then(|outlook| outlook.next);
    let id_of = |name| row.get::<Uuid>(name);
    Ok(SetOf::values([[
        value("organization_id", id_of("organization_id")?),
        value("assignment_id", id),
        value("title", text("title")?),
        value("today", date(known.as_of)),
        value("action", explanation.action.name()),
        value("would_enqueue", explanation.would_enqueue),
        value("state", outlook.map(|outlook| outlook.state.name())),
        value("silent_since", date(known.since)),
        value("days_since", called.evaluation.days_since),
        value("counted_days", explanation.counted_days),
        value("days_not_counted", days_not_counted(&explanation)),
        value("reminder_after_days", row.get::<i32>("reminder_after_days")?),
        value("escalate_after_days", row.get::<i32>("escalate_after_days")?),
        value("escalation_grace_days", row.get::<i32>("escalation_grace_days")?),
        value("mentor_id", id_of("mentor_id")?),
        value("mentor_name", mentor.as_deref()),
        value("coordinator_id", id_of("coordinator_id")?.filter(|_| !is_to_mentor)),
        value("coordinator_name", coordinator.as_deref()),
        value("next_action", next.map(|(action, _)| action.name())),
        value("next_on", next.and_then(|(_, on)| date(on))),
        value("forgotten", outlook.and_then(|outlook| outlook.forgotten).map(Forgotten::name)),
        value("gates", gates(&explanation)),
        value("happened", happened_json(happened)),
        value("sentences", sentences(&explanation)),
        value("explanation", explanation.paragraph()),
    ]]))
}

/// Days off come before pauses, and those before the mentor's.
fn stops(row: &Row) -> Result<Vec<Stop>> {
    let days = |name| Ok(row.get::<Vec<Option<Date>>>(name)?.unwrap_or_default());
    let texts = |name| Ok(row.get::<Vec<Option<String>>>(name)?.unwrap_or_default());
    let spans = |first: Vec<Option<Date>>, last: Vec<Option<Date>>| first.into_iter().zip(last);
    let stop = |((first, last), cause, reason): ((Option<Date>, Option<Date>), Cause, Option<String>)| {
        Some(Stop { span: Span { first: nearest_date(first?), last: nearest_date(last?) }, cause, reason })
    };
    let off = spans(days("off_from")?, days("off_until")?).zip(texts("off_reasons")?);
    let off = off.map(|(span, reason)| (span, Cause::DayOff, reason));
    let paused = spans(days("paused_from")?, days("paused_until")?).zip(texts("paused_causes")?);
    let paused = paused.zip(texts("paused_reasons")?).map(|((span, cause), reason)| {
        let cause = match cause.as_deref() {
            Some("closed") => Cause::NotOpen,
            Some("leave") => Cause::MentorAway,
            _ => Cause::Pause,
        };
        (span, cause, reason)
    });
    let stops = off.chain(paused).filter_map(stop);
    let mut stops: Vec<Stop> = stops.filter(|stop| stop.span.first <= stop.span.last).collect();
    stops.sort_by_key(|stop| (stop.cause.rank(), stop.span.first));
    Ok(stops)
}

fn days_not_counted(explanation: &Explanation) -> JsonB {
    let spans = explanation.not_counted.iter().map(|span| {
        json!({
            "first_day": span.first.to_string(),
            "last_day": span.last.to_string(),
            "days": span.days(),
            "cause": span.cause.name(),
            "reason": span.reason,
        })
    });
    JsonB(Value::Array(spans.collect()))
}

fn gates(explanation: &Explanation) -> JsonB {
    let gates = explanation.gates.iter();
    let gates = gates.map(|gate| json!({"gate": gate.name, "value": gate.value, "is_passed": gate.is_passed}));
    JsonB(Value::Array(gates.collect()))
}

fn happened_json(happened: &[Happened]) -> JsonB {
    let events = happened.iter().map(|Happened { event, name, .. }| {
        let at = TimestampWithTimeZone::try_from(event.happened_at).map(nearest_moment).ok();
        json!({
            "happened_at": at.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            "event": event.code,
            "reminder_type": event.reminder_type,
            "recipient_id": event.recipient,
            "recipient_name": name,
            "reason": event.reason,
            "text": event.text,
        })
    });
    JsonB(Value::Array(events.collect()))
}

fn sentences(explanation: &Explanation) -> JsonB {
    let sentences = explanation.sentences.iter();
    JsonB(Value::Array(sentences.map(|sentence| json!({"code": sentence.code, "text": sentence.text})).collect()))
}
