//! assignment_timeline: gathers what the tables, the history and the logs hold of an assignment. The order and the words are src/rules/timeline.rs's.

use std::collections::{BTreeMap, HashMap};

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};
use serde_json::Value as Json;

use crate::access::Mentor;
use crate::explain::{organization_ever_of, uuid};
use crate::history::history_known_since;
use crate::rules::timeline::{self, Change, Event, Moment, Operation, Reminder, Values};
use crate::server::calendar::nearest_date;
use crate::server::errors::{Result, broken_statement, null_argument, unknown};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, Value, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::{Row, Rows};
use crate::server::statement::{Statement, types};

/// From 1970, which JSON counts from, to 2000, which Postgres does.
const EPOCHS_APART: Moment = 946_684_800_000_000;

returns!(
    /// What happened to an assignment.
    AssignmentTimeline: SetOf,
    "TABLE (happened_at timestamptz, recorded_at timestamptz, event text, row_id uuid, old_value text, new_value text, reason text, reminder_type text, \
     recipient_id uuid, changed_by text, changed_by_user uuid, text text)"
);

/// What happened to an assignment, in order: one row for each event, also of one that was deleted, as far as the history has it. event is a code that stays:
/// created, deleted, mentor_changed, coordinator_changed, student_changed, status_changed, due_date_changed, title_changed, assigned_on_changed,
/// follow_up_changed; contact and attempt (happened_at: when it took place; recorded_at: when it was entered), contact_changed, contact_moved (to or from another
/// assignment), contact_deleted; contact_corrected, correction_deleted; paused, pause_changed, pause_deleted, and mentor_paused, mentor_pause_changed,
/// mentor_pause_deleted while it was that mentor's (values: first and last day, with a slash between them); reminder_enqueued, reminder_rearmed, reminder_readdressed, reminder_withdrawn,
/// reminder_skipped; message_sent, message_delivered, message_bounced, message_rejected, message_complained, message_unsubscribed, message_failed (an attempt),
/// message_given_up (the last), message_claimed. Where it was created before the history begins (history_known_since), a row history_begins says so: what was
/// changed before is not known. row_id: the activity, correction, pause or reminder. changed_by and changed_by_user: the role that wrote, and whoever it wrote
/// for, where they are known. text: a sentence, in which people are called as they are now, and whose words may change.
///
/// 02000 for an unknown assignment, 22004 for NULL, 42501 where row security may hide rows: coordinators and admins have the timelines of their organization,
/// and mentors those of what is theirs now: since it is, without the names of people whom they do not see.
#[pg_extern(stable)]
fn assignment_timeline(assignment_id: Option<Uuid>) -> Result<SetOf<AssignmentTimeline>> {
    const WHOLE: Whole = Whole::reads(&[
        "assignments",
        "activities",
        "contact_corrections",
        "assignment_pauses",
        "mentor_pauses",
        "peer_mentors",
        "users",
        "organizations",
        "row_history",
        "reminder_events",
        "reminders",
        "send_logs",
    ]);
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    if let Some(mentor) = Mentor::of(id)? {
        return timeline_for(id, mentor);
    }
    let found = organization_ever_of(id)?;
    WHOLE.require_in(|| Ok(found.as_ref().map(|(organization, _)| *organization)))?;
    let (_, timezone) = found.ok_or_else(|| unknown("assignment", "assignments", id))?;
    let rows = rows_of(id, &timezone)?;
    let student = rows.iter().find(|row| row.id == id.to_string()).and_then(student);
    let reminders = reminders(id, student, Within::ALL, &timezone)?;
    let names = names(&rows, &reminders)?;
    let known_since = history_known_since()?.into_inner();
    let events = timeline::timeline(&id.to_string(), &rows, &reminders, &names, known_since);
    Ok(SetOf::values(events.iter().map(line).collect::<Result<Vec<_>>>()?))
}

/// Of an assignment that is this mentor's, since it is. People whom they do not see have no name.
fn timeline_for(id: Uuid, mentor: Mentor) -> Result<SetOf<AssignmentTimeline>> {
    let user = mentor.user.to_string();
    let (rows, reminders, since) = as_owner_of("assignments", || {
        let (_, timezone) = organization_ever_of(id)?.ok_or_else(|| unknown("assignment", "assignments", id))?;
        let rows = rows_of(id, &timezone)?;
        let mut reminders = reminders(id, None, Within::ALL, &timezone)?;
        for reminder in &mut reminders {
            reminder.hide_from(&user);
        }
        Ok((rows, reminders, mentored_since(id, None, &timezone)?))
    })?;
    // With the mentor's own rights.
    let names = names(&rows, &reminders)?;
    let known_since = history_known_since()?.into_inner();
    let events = timeline::timeline(&id.to_string(), &rows, &reminders, &names, known_since);
    let events = timeline::to_mentor(&id.to_string(), events, &mentor.id.to_string(), &user, since);
    Ok(SetOf::values(events.iter().map(line).collect::<Result<Vec<_>>>()?))
}

/// Since when an assignment has the mentor whom it had at a moment, or has now: what was before is not theirs to know. With the owner's rights.
pub fn mentored_since(assignment: Uuid, moment: Option<TimestampWithTimeZone>, timezone: &str) -> Result<Moment> {
    static SINCE: Statement = Statement::by_index(
        include_str!("../../sql/explain/mentored_since.sql"),
        &[types::UUID, types::MOMENT, types::TEXT],
    );
    let since: Option<TimestampWithTimeZone> =
        SINCE.read(&[assignment.into(), moment.into(), timezone.into()], |rows| rows.one("since"))?;
    Ok(since.map_or(Moment::MIN, TimestampWithTimeZone::into_inner))
}

/// Every row that is told of, with its changes.
fn rows_of(assignment: Uuid, timezone: &str) -> Result<Vec<timeline::Row>> {
    static ROWS: Statement =
        Statement::by_index(include_str!("../../sql/explain/timeline_rows.sql"), &[types::UUID, types::TEXT]);
    static CHANGES: Statement =
        Statement::by_index(include_str!("../../sql/explain/timeline_changes.sql"), &[types::UUIDS, types::TEXT]);
    let found = ROWS.read(&[assignment.into(), timezone.into()], |rows| {
        rows.map(|row| {
            let id: Uuid = row.not_null("row_id")?;
            Ok((id, row.not_null::<String>("table_name")?, values(&row, "version")?))
        })
        .collect::<Result<Vec<_>>>()
    })?;
    let ids: Vec<Uuid> = found.iter().map(|(id, _, _)| *id).collect();
    let mut changes: HashMap<(String, Uuid), Vec<Change>> = HashMap::new();
    CHANGES.read(&[ids.into(), timezone.into()], |rows| {
        for row in rows {
            let key = (row.not_null("table_name")?, row.not_null("row_id")?);
            changes.entry(key).or_default().push(change(&row)?);
        }
        Ok(())
    })?;
    let rows = found.into_iter().map(|(id, table, present)| {
        let changes = changes.remove(&(table.clone(), id)).unwrap_or_default();
        timeline::Row { table, id: id.to_string(), present, changes }
    });
    Ok(rows.collect())
}

fn change(row: &Row) -> Result<Change> {
    let operation: String = row.not_null("operation")?;
    let old = values(row, "old_values")?.unwrap_or_default();
    Ok(Change {
        at: row.not_null::<TimestampWithTimeZone>("changed_at")?.into_inner(),
        day: row.get::<String>("changed_day")?.unwrap_or_default(),
        by: row.not_null("changed_by")?,
        user: row.get::<Uuid>("changed_by_user")?.map(|user| user.to_string()),
        operation: match operation.as_str() {
            "insert" | "early insert" => Operation::Inserted,
            "update" => Operation::Updated(old),
            _ => Operation::Deleted(old),
        },
    })
}

/// A row as JSON, with its moments as Postgres counts them.
fn values(row: &Row, column: &str) -> Result<Option<Values>> {
    let Some(JsonB(json)) = row.get::<JsonB>(column)? else { return Ok(None) };
    let Json::Object(mut values) = json else { return Err(broken_statement(format!("{column} is no object"))) };
    for name in ["created_micros", "occurred_micros"] {
        if let Some(moment) = values.get(name).and_then(Json::as_i64) {
            values.insert(name.to_string(), moment.saturating_sub(EPOCHS_APART).into());
        }
    }
    Ok(Some(values))
}

/// Whoever reminders that name nobody go to.
fn student(row: &timeline::Row) -> Option<Uuid> {
    let replaced = row.changes.iter().rev().find_map(|change| match &change.operation {
        Operation::Deleted(old) => Some(old),
        _ => None,
    });
    row.present.as_ref().or(replaced)?.get("student_id")?.as_str().and_then(uuid)
}

/// Of which of its reminders is asked: those that there were by a moment, and of one silence.
pub struct Within {
    pub moment: Option<TimestampWithTimeZone>,
    pub anchor: Option<TimestampWithTimeZone>,
}

impl Within {
    const ALL: Self = Self { moment: None, anchor: None };
}

/// What became of its reminders, in order.
pub fn reminders(assignment: Uuid, student: Option<Uuid>, within: Within, timezone: &str) -> Result<Vec<Reminder>> {
    static REMINDERS: Statement = Statement::by_index(
        include_str!("../../sql/explain/timeline_reminders.sql"),
        &[types::UUID, types::UUID, types::MOMENT, types::MOMENT, types::TEXT],
    );
    let Within { moment, anchor } = within;
    REMINDERS.read(&[assignment.into(), student.into(), moment.into(), anchor.into(), timezone.into()], |rows| {
        rows.map(|row| {
            Ok(Reminder {
                at: row.not_null::<TimestampWithTimeZone>("happened_at")?.into_inner(),
                day: nearest_date(row.not_null("day")?),
                event: row.not_null("event")?,
                reason: row.get("reason")?,
                reminder_type: row.get("reminder_type")?,
                recipient: row.get::<Uuid>("recipient_id")?.map(|id| id.to_string()),
                id: row.get::<Uuid>("reminder_id")?.map(|id| id.to_string()),
                is_given_up: row.not_null("is_given_up")?,
            })
        })
        .collect()
    })
}

fn names(rows: &[timeline::Row], reminders: &[Reminder]) -> Result<BTreeMap<String, String>> {
    static NAMES: Statement =
        Statement::by_index(include_str!("../../sql/explain/timeline_names.sql"), &[types::UUIDS]);
    let ids: Vec<Uuid> = timeline::people(rows, reminders).iter().filter_map(|id| uuid(id)).collect();
    NAMES.read(&[ids.into()], names_in)
}

/// What the people of a moment, whom these reminders name, were called then; now, without one.
pub fn names_as_of(
    reminders: &[Reminder],
    moment: Option<TimestampWithTimeZone>,
    organization: Uuid,
) -> Result<BTreeMap<String, String>> {
    static NAMES: Statement = Statement::at_each_call(
        include_str!("../../sql/explain/names_as_of.sql"),
        &[types::MOMENT, types::UUID, types::UUIDS],
    );
    let Some(moment) = moment else { return names(&[], reminders) };
    let ids: Vec<Uuid> = timeline::people(&[], reminders).iter().filter_map(|id| uuid(id)).collect();
    NAMES.read(&[moment.into(), organization.into(), ids.into()], names_in)
}

fn names_in(rows: Rows) -> Result<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    for row in rows {
        // Of a person who was forgotten, it is empty.
        if let Some(name) = row.get::<String>("name")?.filter(|name| !name.trim().is_empty()) {
            names.insert(row.not_null::<Uuid>("id")?.to_string(), name);
        }
    }
    Ok(names)
}

fn line(event: &Event) -> Result<Vec<Value>> {
    let moment = |at: Moment| TimestampWithTimeZone::try_from(at).map_err(broken_statement);
    let id = |id: &Option<String>| id.as_deref().and_then(uuid);
    Ok(vec![
        value("happened_at", moment(event.happened_at)?),
        value("recorded_at", moment(event.recorded_at)?),
        value("event", event.code),
        value("row_id", id(&event.row)),
        value("old_value", event.old.clone()),
        value("new_value", event.new.clone()),
        value("reason", event.reason.clone()),
        value("reminder_type", event.reminder_type.clone()),
        value("recipient_id", id(&event.recipient)),
        value("changed_by", event.by.clone()),
        value("changed_by_user", id(&event.user)),
        value("text", event.text.clone()),
    ])
}
