//! The SQL faces of the rules: convert, call, return. The decisions are in `rules`.

use chrono::TimeDelta;
use pgrx::Uuid;
use pgrx::datum::{Date, Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use crate::rules::contact::days_since_last_contact as rule_days_since_last_contact;
use crate::rules::delivery::{self, Assignment, Day, Kind, Recipient};
use crate::rules::due;
use crate::rules::follow_up::{self, Action, Days, Evaluation, Thresholds};
use crate::rules::retry;
use crate::server::calendar::{calendar_date, nearest_date, nearest_moment, utc_date};
use crate::server::composite::EvaluationRow;
use crate::server::errors::{Result, negative_threshold, null_argument, unknown};
use crate::server::statement::Statement;

/// Whole days from the last contact to `as_of`. NULL without contact. 22008 for infinite dates.
#[pg_extern(immutable, parallel_safe)]
fn days_since_last_contact(
    last_contact_date: Option<Date>,
    as_of: default!(Option<Date>, "current_date"),
) -> Result<Option<i32>> {
    let Some(as_of) = as_of else { return Ok(None) };
    let last_contact = last_contact_date.map(|date| calendar_date("last_contact_date", date)).transpose()?;
    Ok(rule_days_since_last_contact(last_contact, calendar_date("as_of", as_of)?))
}

/// days >= threshold. False when either is NULL. 22023 for a negative threshold.
#[pg_extern(immutable, parallel_safe)]
fn is_reminder_due(days: Option<i32>, threshold: Option<i32>) -> Result<bool> {
    Ok(follow_up::is_reminder_due(days, days_of(threshold)?))
}

/// days >= threshold, and a reminder was sent. False when anything is NULL. 22023 for a negative threshold.
#[pg_extern(immutable, parallel_safe)]
fn is_escalation_due(
    days: Option<i32>,
    threshold: Option<i32>,
    last_reminder_sent_at: Option<TimestampWithTimeZone>,
) -> Result<bool> {
    Ok(follow_up::is_escalation_due(days, days_of(threshold)?, last_reminder_sent_at.is_some()))
}

/// What an open assignment with these values calls for: none, remind or escalate, and the days of its silence.
/// The reminder counts if its UTC date is not before the day the silence began.
/// NULL `last_contact_date`: silent since `assigned_on`. NULL threshold: that action is off. 22004 for a NULL `assigned_on`
/// or `as_of`, 22008 for infinite dates, 22023 for a negative threshold.
#[pg_extern(name = "evaluate_assignment", immutable, parallel_safe)]
fn evaluate_values(
    last_contact_date: Option<Date>,
    assigned_on: Option<Date>,
    last_reminder_sent_at: Option<TimestampWithTimeZone>,
    reminder_after_days: Option<i32>,
    escalate_after_days: Option<i32>,
    as_of: default!(Option<Date>, "current_date"),
) -> Result<EvaluationRow> {
    let assigned_on = assigned_on.ok_or_else(|| null_argument("assigned_on"))?;
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let thresholds =
        Thresholds { reminder_after: days_of(reminder_after_days)?, escalate_after: days_of(escalate_after_days)? };
    Ok(EvaluationRow(follow_up::evaluate(
        last_contact_date.map(|date| calendar_date("last_contact_date", date)).transpose()?,
        calendar_date("assigned_on", assigned_on)?,
        last_reminder_sent_at.map(|moment| utc_date("last_reminder_sent_at", moment)).transpose()?,
        thresholds,
        calendar_date("as_of", as_of)?,
    )))
}

/// What this assignment calls for on `as_of` (NULL: today in its organisation's time zone), by its organisation's
/// settings and its reminder of this silence. An assignment that is not open calls for none. P0002 for an unknown one.
#[pg_extern(name = "evaluate_assignment", stable)]
#[search_path(pg_catalog, pg_temp)]
fn evaluate_row(assignment_id: Option<Uuid>, as_of: default!(Option<Date>, "NULL")) -> Result<EvaluationRow> {
    static FACTS: Statement =
        Statement::new(include_str!("../sql/daily/evaluate_one.sql"), &[pg_sys::BuiltinOid::UUIDOID]);
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let facts = FACTS.read(&[id.into()], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some((
            row.get::<bool>(1)?.unwrap_or(false),
            (row.get(2)?, row.get(3)?, row.get(7)?, row.get(4)?, row.get(5)?),
            row.get::<Date>(6)?,
        )))
    })?;
    let (is_open, (last_contact, assigned_on, reminded_at, reminder_after, escalate_after), today) =
        facts.ok_or_else(|| unknown("assignment", "assignments", id))?;

    let EvaluationRow(evaluation) =
        evaluate_values(last_contact, assigned_on, reminded_at, reminder_after, escalate_after, as_of.or(today))?;
    let action = if is_open { evaluation.action } else { Action::None };
    Ok(EvaluationRow(Evaluation { action, ..evaluation }))
}

/// The type of the reminder that is sent this long before a due date: 24h, 2d, 90m. A month counts as 30 days. NULL for
/// NULL, and for what is not ahead of a due date.
#[pg_extern(immutable, parallel_safe)]
fn due_reminder_type(due_offset: Option<Interval>) -> Option<String> {
    let due_offset = due_offset?;
    let days = i64::from(due_offset.months()) * 30 + i64::from(due_offset.days());
    due::reminder_type(days, TimeDelta::microseconds(due_offset.micros()))
}

/// Why a reminder should no longer be sent, NULL to send it, from what is known of its assignment (no status: there is
/// none), its day (summaries) and its recipient (no opt-out known: there is none). What claims ask. 22004 for a NULL type
/// or `as_of`.
#[pg_extern(immutable, parallel_safe)]
fn skip_reason(
    reminder_type: Option<&str>,
    anchor: Option<TimestampWithTimeZone>,
    assignment_status: Option<&str>,
    silent_since: Option<Date>,
    due_at: Option<TimestampWithTimeZone>,
    is_superseded: Option<bool>,
    is_wanted: Option<bool>,
    is_today: Option<bool>,
    has_something_to_say: Option<bool>,
    is_opted_out: Option<bool>,
    has_address: Option<bool>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Option<String>> {
    let kind = Kind::of(reminder_type.ok_or_else(|| null_argument("reminder_type"))?);
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    let assignment = assignment_status.zip(silent_since).map(|(status, silent_since)| Assignment {
        status,
        silent_since: nearest_date(silent_since),
        due_at: due_at.map(nearest_moment),
        is_superseded: is_superseded.unwrap_or(false),
    });
    let day = Day {
        is_wanted: is_wanted.unwrap_or(false),
        // Without an anchor, any day.
        is_today: is_today.unwrap_or(true),
        has_something_to_say: has_something_to_say.unwrap_or(false),
    };
    let recipient =
        is_opted_out.map(|is_opted_out| Recipient { is_opted_out, has_address: has_address.unwrap_or(false) });
    let reason =
        delivery::skip_reason(kind, anchor.map(nearest_moment), assignment, day, recipient, nearest_moment(as_of));
    Ok(reason.map(|reason| reason.name().to_string()))
}

/// What becomes of a reminder whose claim nobody answered for: retry, `retry_alone` (in a claim of its own) or `give_up`.
/// `attempts` counts the lost one. NULL for NULL. What claims ask.
#[pg_extern(immutable, parallel_safe)]
fn after_loss(attempts: i32, max_attempts: i32) -> &'static str {
    retry::after_loss(attempts, max_attempts).name()
}

fn days_of(threshold: Option<i32>) -> Result<Option<Days>> {
    threshold.map(Days::try_from).transpose().map_err(negative_threshold)
}
