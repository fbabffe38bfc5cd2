//! Why an assignment is or is not followed up, and what happened to it.

#![allow(clippy::struct_field_names)] // as the database calls them

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::{Json as Jsonb, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::page::{Id, Query, limit, page, whole_key};
use crate::caller::{Caller, shown};
use crate::database::Parameter;
use crate::openapi::Refusals;
use crate::problem::Problem;

/// As explain_assignment() says it.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"assignment_id": "0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10", "title": "Essay", "today": "2026-11-25", "action": "remind",
    "would_enqueue": false, "state": "reminder_waits", "silent_since": "2026-11-10", "days_since": 15, "counted_days": 14,
    "days_not_counted": [{"first_day": "2026-11-16", "last_day": "2026-11-16", "days": 1, "cause": "day_off", "reason": "public holiday"}],
    "reminder_after_days": 14, "escalate_after_days": 28, "escalation_grace_days": 3,
    "mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03", "mentor_name": "Mina",
    "coordinator_id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "coordinator_name": "Kari", "next_action": "escalate", "next_on": "2026-12-09",
    "forgotten": null, "gates": [{"gate": "open", "value": "open", "is_passed": true}],
    "happened": [{"happened_at": "2026-11-24T06:00:00Z", "event": "reminder_enqueued", "reminder_type": "contact-reminder",
    "recipient_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03", "recipient_name": "Mina", "reason": null,
    "text": "The message contact-reminder to Mina was enqueued."}],
    "sentences": [{"code": "reminder_waits", "text": "The reminder to Mina waits to be sent."}],
    "explanation": "The reminder to Mina waits to be sent."}))]
pub struct Explanation {
    pub assignment_id: Uuid,
    pub title: String,
    /// The day that is explained, where the organization is.
    pub today: NaiveDate,
    /// What its silence calls for that day, whether it was enqueued or not: none, remind or escalate.
    pub action: String,
    /// Whether a run would enqueue it now.
    pub would_enqueue: bool,
    /// How far its silence has got. NULL: nobody follows it up.
    pub state: Option<String>,
    pub silent_since: NaiveDate,
    pub days_since: i32,
    pub counted_days: i32,
    pub days_not_counted: Vec<NotCounted>,
    /// NULL: never.
    pub reminder_after_days: Option<i32>,
    pub escalate_after_days: Option<i32>,
    pub escalation_grace_days: Option<i32>,
    /// The mentor's user.
    pub mentor_id: Option<Uuid>,
    pub mentor_name: Option<String>,
    /// Whoever is told instead of the mentor: the coordinator, or the fallback.
    pub coordinator_id: Option<Uuid>,
    pub coordinator_name: Option<String>,
    /// What comes next, and when, if nothing changes. NULL: nothing.
    pub next_action: Option<String>,
    pub next_on: Option<NaiveDate>,
    /// Why nobody will hear of it. NULL: somebody will.
    pub forgotten: Option<String>,
    pub gates: Vec<Gate>,
    /// What became of the messages of this silence, in order.
    pub happened: Vec<Happened>,
    pub sentences: Vec<Sentence>,
    /// The sentences, one after the other.
    pub explanation: String,
}

/// Days of the silence that do not count.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NotCounted {
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub days: i64,
    pub cause: String,
    pub reason: Option<String>,
}

/// What is asked before anybody is written to.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Gate {
    pub gate: String,
    pub value: String,
    pub is_passed: bool,
}

/// What became of a message.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Happened {
    pub happened_at: DateTime<Utc>,
    /// A code that stays, as in the timeline.
    pub event: String,
    pub reminder_type: Option<String>,
    pub recipient_id: Option<Uuid>,
    pub recipient_name: Option<String>,
    pub reason: Option<String>,
    /// A sentence, whose words may change.
    pub text: String,
}

/// The code stays, the words may change.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Sentence {
    pub code: String,
    pub text: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Moment {
    /// The moment that is explained: now, unless said otherwise. It may lie ahead; one that has passed is explained as things stood then.
    as_of: Option<DateTime<Utc>>,
}

/// Why an assignment is or is not followed up, and what comes next. For coordinators and admins, and for its mentor.
#[utoipa::path(get, path = "/assignments/{id}/explanation", operation_id = "explain_assignment", tag = "assignments",
    params(("id" = Uuid, Path), Moment), responses(
    (status = 200, description = "What is decided, and why", body = Explanation),
    Refusals,
))]
pub async fn explanation(
    caller: Caller,
    Id(id): Id,
    Query(moment): Query<Moment>,
) -> Result<Json<Explanation>, Problem> {
    let sql = include_str!("../../sql/explanation.sql");
    let rows = caller.rows(sql, &[(&id, Type::UUID), (&moment.as_of, Type::TIMESTAMPTZ)]).await.map_err(hidden)?;
    shown(rows.first().ok_or_else(|| gone(id))?, "row").map(Json)
}

/// As assignment_timeline() tells it.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"happened_at": "2026-11-24T06:00:00Z", "recorded_at": "2026-11-24T06:00:00Z", "event": "reminder_enqueued",
    "row_id": "e1d2c3b4-a596-4877-8a6b-5c4d3e2f1a05", "old_value": null, "new_value": null, "reason": null, "reminder_type": "contact-reminder",
    "recipient_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03", "changed_by": null, "changed_by_user": null,
    "text": "The message contact-reminder to Mina was enqueued.", "number": 1}))]
pub struct TimelineEvent {
    /// Of a contact, when it took place.
    pub happened_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// A code that stays.
    pub event: String,
    /// The contact, correction, pause or reminder.
    pub row_id: Option<Uuid>,
    pub old_value: Option<String>,
    pub new_value: Option<String>,
    pub reason: Option<String>,
    pub reminder_type: Option<String>,
    pub recipient_id: Option<Uuid>,
    /// The database role that wrote, and the user whom it wrote for.
    pub changed_by: Option<String>,
    pub changed_by_user: Option<Uuid>,
    /// A sentence, whose words may change.
    pub text: String,
    /// Its place among the events of the same two moments.
    pub number: i32,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// How many events, 100 unless said otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i32>,
    /// happened_at, recorded_at and number of the last event of the page before: all or none.
    after_happened_at: Option<DateTime<Utc>>,
    after_recorded_at: Option<DateTime<Utc>>,
    after_number: Option<i32>,
}

/// What happened to an assignment, in order; also to one that was deleted. For coordinators and admins, and, since it is theirs, for its mentor.
#[utoipa::path(get, path = "/assignments/{id}/timeline", operation_id = "get_timeline", tag = "assignments", params(("id" = Uuid, Path), Part), responses(
    (status = 200, description = "A page, oldest first", body = [TimelineEvent],
     headers(("Link" = Option<String>, description = "rel=next: the next page, where there is one"))),
    Refusals,
))]
pub async fn timeline(
    caller: Caller,
    Id(id): Id,
    OriginalUri(uri): OriginalUri,
    Query(part): Query<Part>,
) -> Result<(HeaderMap, Json<Vec<TimelineEvent>>), Problem> {
    let size = limit(part.limit)?;
    whole_key(&[
        ("after_happened_at", part.after_happened_at.is_some()),
        ("after_recorded_at", part.after_recorded_at.is_some()),
        ("after_number", part.after_number.is_some()),
    ])?;
    let sql = include_str!("../../sql/timeline.sql");
    let size_and_one = size + 1;
    let arguments: [Parameter; 5] = [
        (&id, Type::UUID),
        (&size_and_one, Type::INT4),
        (&part.after_happened_at, Type::TIMESTAMPTZ),
        (&part.after_recorded_at, Type::TIMESTAMPTZ),
        (&part.after_number, Type::INT4),
    ];
    let rows = caller.rows(sql, &arguments).await.map_err(hidden)?;
    let first = rows.first().ok_or_else(|| gone(id))?;
    let is_empty =
        first.try_get::<_, Option<Jsonb<IgnoredAny>>>("row").map_err(|error| Problem::unexpected(&error))?.is_none();
    page(if is_empty { &[] } else { &rows }, size, &uri, |last: &TimelineEvent| {
        let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        vec![
            ("after_happened_at", moment(last.happened_at)),
            ("after_recorded_at", moment(last.recorded_at)),
            ("after_number", last.number.to_string()),
        ]
    })
}

/// What the database hints at is for whoever writes SQL.
fn hidden(problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::FORBIDDEN => {
            Problem::new(StatusCode::FORBIDDEN, "what decides of an assignment is not the caller's to see")
                .hint("Its organization's coordinators and admins see it (users.role), and its mentor.")
        }
        _ => problem,
    }
}

fn gone(id: Uuid) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no assignment {id}"))
}
