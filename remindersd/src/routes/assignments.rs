//! Assignments, their contact dates, and the contacts that move these.

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::Body;
use super::page::{Id, IdempotencyKey, Query, limit, page};
use super::version::{IfMatch, etag};
use crate::caller::{Caller, shown};
use crate::database::Parameter;
use crate::openapi::{BodyRefusals, Refusals, VersionRefusals};
use crate::problem::Problem;

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"id": "0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10", "organization_id": "00000000-0000-0000-0000-000000000001", "title": "Essay",
    "description": null, "student_id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "peer_mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02",
    "coordinator_id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "due_at": "2026-11-30T12:00:00Z", "status": "open", "completed": false,
    "completed_at": null, "assigned_on": "2026-11-02", "last_contact_date": "2026-11-10", "metadata": {"subject": "history"},
    "created_at": "2026-11-02T08:15:00Z", "updated_at": "2026-11-10T17:05:00Z"}))]
pub struct Assignment {
    pub id: Uuid,
    pub organization_id: Uuid,
    #[schema(example = "Essay")]
    pub title: String,
    pub description: Option<String>,
    pub student_id: Uuid,
    pub peer_mentor_id: Option<Uuid>,
    pub coordinator_id: Option<Uuid>,
    pub due_at: Option<DateTime<Utc>>,
    pub status: Status,
    pub completed: bool,
    pub completed_at: Option<DateTime<Utc>>,
    pub assigned_on: NaiveDate,
    /// The latest contact, a day in the organization's time zone. NULL: never.
    pub last_contact_date: Option<NaiveDate>,
    /// Any JSON.
    #[schema(value_type = Value)]
    pub metadata: Box<RawValue>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Open,
    Paused,
    Completed,
    Cancelled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Those whom an assignment concerns. Of somebody whom the caller does not see, only the id is known.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"student": {"id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "name": "Sam", "email": "sam@example.org"},
    "peer_mentor": {"id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02", "user_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03", "name": "Mina", "email": "mina@example.org"},
    "coordinator": {"id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "name": "Kari", "email": "kari@example.org"}}))]
pub struct Participants {
    pub student: Person,
    pub peer_mentor: Option<Mentor>,
    pub coordinator: Option<Person>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Person {
    pub id: Uuid,
    pub name: Option<String>,
    pub email: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Mentor {
    /// As peer_mentor_id names them.
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub name: Option<String>,
    pub email: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": "0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10", "organization_id": "00000000-0000-0000-0000-000000000001", "title": "Essay",
    "description": null, "student_id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "peer_mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02",
    "coordinator_id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "due_at": "2026-11-30T12:00:00Z", "status": "open", "completed": false,
    "completed_at": null, "assigned_on": "2026-11-02", "last_contact_date": "2026-11-10", "metadata": {"subject": "history"},
    "created_at": "2026-11-02T08:15:00Z", "updated_at": "2026-11-10T17:05:00Z",
    "student": {"id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "name": "Sam", "email": "sam@example.org"},
    "peer_mentor": {"id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02", "user_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03", "name": "Mina", "email": "mina@example.org"},
    "coordinator": {"id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "name": "Kari", "email": "kari@example.org"}}))]
pub struct AssignmentWithParticipants {
    #[serde(flatten)]
    pub assignment: Assignment,
    #[serde(flatten)]
    pub participants: Participants,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Essay", "student_id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "peer_mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02",
    "coordinator_id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "due_at": "2026-11-30T12:00:00Z", "metadata": {"subject": "history"}}))]
pub struct NewAssignment {
    #[schema(example = "Essay")]
    title: String,
    description: Option<String>,
    student_id: Uuid,
    peer_mentor_id: Option<Uuid>,
    coordinator_id: Option<Uuid>,
    due_at: Option<DateTime<Utc>>,
    /// open, unless said otherwise.
    status: Option<Status>,
    /// Today, unless said otherwise.
    assigned_on: Option<NaiveDate>,
    /// Any JSON.
    #[schema(value_type = Option<Value>)]
    metadata: Option<Box<RawValue>>,
}

/// All that can be written of an assignment: what is left out becomes NULL.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Essay", "student_id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "peer_mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02",
    "coordinator_id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "due_at": "2026-11-30T12:00:00Z", "metadata": {"subject": "history"}, "status": "open", "assigned_on": "2026-11-02"}))]
pub struct WholeAssignment {
    title: String,
    description: Option<String>,
    student_id: Uuid,
    peer_mentor_id: Option<Uuid>,
    coordinator_id: Option<Uuid>,
    due_at: Option<DateTime<Utc>>,
    status: Status,
    assigned_on: NaiveDate,
    /// Any JSON.
    #[schema(value_type = Option<Value>)]
    metadata: Option<Box<RawValue>>,
}

/// What is to change: what is left out stays.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "completed", "peer_mentor_id": null}))]
pub struct AssignmentChange {
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    title: Option<String>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    student_id: Option<Uuid>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    peer_mentor_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    coordinator_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    due_at: Option<Option<DateTime<Utc>>>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Status, required = false)]
    status: Option<Status>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = NaiveDate, required = false)]
    assigned_on: Option<NaiveDate>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    metadata: Option<Option<Box<RawValue>>>,
}

/// A member that is there, be it null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A member that is there, and is not null.
fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value: Option<T> = Option::deserialize(deserializer)?;
    value.map(Some).ok_or_else(|| serde::de::Error::custom("it cannot be null"))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    status: Option<Status>,
    peer_mentor_id: Option<Uuid>,
    student_id: Option<Uuid>,
    coordinator_id: Option<Uuid>,
    /// Those whose last contact was before this date, and those that never had one.
    no_contact_since: Option<NaiveDate>,
    /// How many rows, 100 unless said otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i32>,
    /// The last id of the page before.
    after: Option<Uuid>,
}

/// The assignments that the caller sees, by id, with their contact dates.
#[utoipa::path(get, path = "/assignments", operation_id = "list_assignments", tag = "assignments", params(Filter), responses(
    (status = 200, description = "A page", body = [Assignment],
     headers(("Link" = Option<String>, description = "rel=next: the next page, where there is one"))),
    Refusals,
))]
pub async fn list(
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<Filter>,
) -> Result<(HeaderMap, Json<Vec<Assignment>>), Problem> {
    let size = limit(filter.limit)?;
    let rows = caller
        .rows(
            include_str!("../../sql/list_assignments.sql"),
            &[
                (&(size + 1), Type::INT4),
                (&filter.after, Type::UUID),
                (&filter.status.map(Status::name), Type::TEXT),
                (&filter.peer_mentor_id, Type::UUID),
                (&filter.student_id, Type::UUID),
                (&filter.coordinator_id, Type::UUID),
                (&filter.no_contact_since, Type::DATE),
            ],
        )
        .await?;
    page(&rows, size, &uri, |last: &Assignment| vec![("after", last.id.to_string())])
}

/// Creates an assignment. With an Idempotency-Key, a request that comes again answers with the assignment that the first one made.
#[utoipa::path(post, path = "/assignments", operation_id = "create_assignment", tag = "assignments", request_body = NewAssignment,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters that the client chose for this assignment")),
    responses(
        (status = 201, description = "The assignment, made by this request or by an earlier one with its key", body = Assignment,
         headers(("Location" = String), ("ETag" = String))),
        Refusals, BodyRefusals,
))]
pub async fn create(
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewAssignment>,
) -> Result<(StatusCode, HeaderMap, Json<Assignment>), Problem> {
    let id = id_of(&caller, key.as_deref());
    let body = json(&new)?;
    let sql = include_str!("../../sql/create_assignment.sql");
    let made = caller.rows(sql, &[(&id, Type::UUID), (&body, Type::TEXT)]).await;
    let row = made_once(&caller, made, id.is_some(), READ, &[(&id, Type::UUID)]).await?;
    let assignment: Assignment = shown(&row, "row")?;
    let mut headers = etag(&version(&row, "version")?);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/assignments/{}", assignment.id)) {
        headers.insert(header::LOCATION, location);
    }
    Ok((StatusCode::CREATED, headers, Json(assignment)))
}

const READ: &str = include_str!("../../sql/read_assignment.sql");

/// An assignment, with its participants.
#[utoipa::path(get, path = "/assignments/{id}", operation_id = "get_assignment", tag = "assignments", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The assignment", body = AssignmentWithParticipants, headers(("ETag" = String))),
    Refusals,
))]
pub async fn read(caller: Caller, Id(id): Id) -> Result<(HeaderMap, Json<AssignmentWithParticipants>), Problem> {
    let rows = caller.rows(READ, &[(&id, Type::UUID)]).await?;
    let row = rows.first().ok_or_else(|| gone(id))?;
    let found = AssignmentWithParticipants { assignment: shown(row, "row")?, participants: shown(row, "row")? };
    Ok((etag(&version(row, "version")?), Json(found)))
}

/// Those whom an assignment concerns.
#[utoipa::path(get, path = "/assignments/{id}/participants", operation_id = "get_participants", tag = "assignments", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "Student, peer mentor and coordinator", body = Participants),
    Refusals,
))]
pub async fn participants(caller: Caller, Id(id): Id) -> Result<Json<Participants>, Problem> {
    let rows = caller.rows(READ, &[(&id, Type::UUID)]).await?;
    shown(rows.first().ok_or_else(|| gone(id))?, "row").map(Json)
}

/// Replaces an assignment: what is left out becomes NULL. Contact dates follow contacts and corrections, and are not written here.
#[utoipa::path(put, path = "/assignments/{id}", operation_id = "replace_assignment", tag = "assignments", request_body = WholeAssignment,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the version that the change was made for")),
    responses(
        (status = 200, description = "The assignment as it is now", body = Assignment, headers(("ETag" = String))),
        Refusals, BodyRefusals, VersionRefusals,
))]
pub async fn replace(
    caller: Caller,
    Id(id): Id,
    wanted: IfMatch,
    Body(whole): Body<WholeAssignment>,
) -> Result<(HeaderMap, Json<Assignment>), Problem> {
    write(&caller, id, &wanted, &json(&whole)?).await
}

/// Changes what the body names of an assignment: null for nothing, what is left out stays. metadata is replaced whole.
#[utoipa::path(patch, path = "/assignments/{id}", operation_id = "change_assignment", tag = "assignments", request_body = AssignmentChange,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the version that the change was made for")),
    responses(
        (status = 200, description = "The assignment as it is now", body = Assignment, headers(("ETag" = String))),
        Refusals, BodyRefusals, VersionRefusals,
))]
pub async fn change(
    caller: Caller,
    Id(id): Id,
    wanted: IfMatch,
    Body(change): Body<AssignmentChange>,
) -> Result<(HeaderMap, Json<Assignment>), Problem> {
    write(&caller, id, &wanted, &json(&change)?).await
}

async fn write(
    caller: &Caller,
    id: Uuid,
    wanted: &IfMatch,
    change: &str,
) -> Result<(HeaderMap, Json<Assignment>), Problem> {
    let sql = include_str!("../../sql/change_assignment.sql");
    let parameters = [(&id as _, Type::UUID), (&change as _, Type::TEXT), (&wanted.0 as _, Type::TEXT_ARRAY)];
    let (row, version) = written(caller, id, wanted, sql, &parameters).await?;
    Ok((etag(&version), Json(shown(&row, "row")?)))
}

/// The row that a statement wrote of an assignment, and its version; or why it was not written, by the version that was seen.
async fn written(
    caller: &Caller,
    id: Uuid,
    wanted: &IfMatch,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<(Row, String), Problem> {
    let mut refusal = None;
    // One that was changed while the first waited for it is seen as it was before: look again.
    for _ in 0..2 {
        let row = caller.rows(sql, parameters).await?.into_iter().next().ok_or_else(|| gone(id))?;
        let written: Option<String> = row.try_get("version").map_err(|error| Problem::unexpected(&error))?;
        if let Some(version) = written {
            return Ok((row, version));
        }
        refusal = Some(wanted.refusal(&version(&row, "seen")?));
    }
    Err(refusal.unwrap_or_else(|| gone(id)))
}

/// Deletes an assignment, with its contacts, corrections and reminders. The mentor's count follows.
#[utoipa::path(delete, path = "/assignments/{id}", operation_id = "delete_assignment", tag = "assignments",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the version that is to be deleted")),
    responses(
        (status = 204, description = "It is gone"),
        Refusals, BodyRefusals, VersionRefusals,
))]
pub async fn delete(caller: Caller, Id(id): Id, wanted: IfMatch) -> Result<StatusCode, Problem> {
    let sql = include_str!("../../sql/delete_assignment.sql");
    let parameters = [(&id as _, Type::UUID), (&wanted.0 as _, Type::TEXT_ARRAY)];
    written(&caller, id, &wanted, sql, &parameters).await.map(|_| StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"date": "2026-11-03", "reason": "entered for another student"}))]
pub struct LastContact {
    /// The day of the latest contact. With a reason, null says that there never was any.
    date: Option<NaiveDate>,
    /// Why it is corrected. Without one, the date only moves forward.
    reason: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"last_contact_date": "2026-11-03"}))]
pub struct ContactDate {
    /// The date that now holds.
    last_contact_date: Option<NaiveDate>,
}

/// Sets the contact date. Without a reason it moves forward only: an earlier date changes nothing. With one it is a correction, which may go
/// back, and is kept with who made it, when and why. Both take the right to make corrections.
#[utoipa::path(put, path = "/assignments/{id}/last-contact", operation_id = "set_last_contact", tag = "contacts", request_body = LastContact,
    params(("id" = Uuid, Path)),
    responses((status = 200, description = "The date that now holds", body = ContactDate), Refusals, BodyRefusals),
)]
pub async fn last_contact(
    caller: Caller,
    Id(id): Id,
    Body(contact): Body<LastContact>,
) -> Result<Json<ContactDate>, Problem> {
    let rows = if let Some(reason) = &contact.reason {
        let sql = "SELECT assignment_reminders.correct_last_contact_date($1, $2, $3) AS date";
        caller.rows(sql, &[(&id, Type::UUID), (&contact.date, Type::DATE), (reason, Type::TEXT)]).await?
    } else {
        let sql = "SELECT assignment_reminders.update_last_contact_date($1, $2) AS date";
        caller.rows(sql, &[(&id, Type::UUID), (&contact.date, Type::DATE)]).await?
    };
    let row = rows.first().ok_or_else(|| gone(id))?;
    let last_contact_date = row.try_get("date").map_err(|error| Problem::unexpected(&error))?;
    Ok(Json(ContactDate { last_contact_date }))
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"occurred_at": "2026-11-10T17:00:00Z", "registration": "direct", "notes": "We planned the next week"}))]
pub struct NewActivity {
    /// When the contact took place: now, unless said otherwise; at most a day ahead.
    occurred_at: Option<DateTime<Utc>>,
    /// direct, unless said otherwise.
    registration: Option<Registration>,
    /// true, unless said otherwise. false: an attempt that nobody answered, which moves no date and withdraws no reminder.
    is_contact: Option<bool>,
    notes: Option<String>,
    /// Any JSON.
    #[schema(value_type = Option<Value>)]
    metadata: Option<Box<RawValue>>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    Direct,
    Proxy,
    Bulk,
    CoordinatorProxy,
}

/// A contact, or an attempt, that was registered.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"id": "e1d2c3b4-a596-4877-8a6b-5c4d3e2f1a05", "assignment_id": "0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10",
    "occurred_at": "2026-11-10T17:00:00Z", "registration": "direct", "is_contact": true, "recorded_by": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03",
    "notes": "We planned the next week", "metadata": {}, "created_at": "2026-11-10T17:05:00Z"}))]
pub struct Activity {
    pub id: Uuid,
    pub assignment_id: Uuid,
    pub occurred_at: DateTime<Utc>,
    pub registration: Registration,
    /// false: an attempt that nobody answered.
    pub is_contact: bool,
    /// The user who registered it.
    pub recorded_by: Option<Uuid>,
    pub notes: Option<String>,
    /// Any JSON.
    #[schema(value_type = Value)]
    pub metadata: Box<RawValue>,
    pub created_at: DateTime<Utc>,
}

/// Registers a contact; with an Idempotency-Key, once. The contact date moves forward with it, and reminders of the silence that it ended are withdrawn.
/// With is_contact false it is an attempt that nobody answered: on record, and nothing else.
#[utoipa::path(post, path = "/assignments/{id}/activities", operation_id = "register_activity", tag = "contacts", request_body = NewActivity,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters that the client chose for this contact")),
    responses((status = 201, description = "The contact or attempt", body = Activity), Refusals, BodyRefusals),
)]
pub async fn register_activity(
    caller: Caller,
    Id(assignment): Id,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewActivity>,
) -> Result<(StatusCode, Json<Activity>), Problem> {
    let id = id_of(&caller, key.as_deref());
    let sql = include_str!("../../sql/register_activity.sql");
    let made = caller.rows(sql, &[(&assignment, Type::UUID), (&json(&new)?, Type::TEXT), (&id, Type::UUID)]).await;
    let read =
        "SELECT to_jsonb(t) AS row FROM assignment_reminders.activities t WHERE t.id = $1 AND t.assignment_id = $2";
    let row = made_once(&caller, made, id.is_some(), read, &[(&id, Type::UUID), (&assignment, Type::UUID)]).await?;
    Ok((StatusCode::CREATED, Json(shown(&row, "row")?)))
}

/// The row that a request made or, where one with its key came before, the row that this made.
async fn made_once(
    caller: &Caller,
    made: Result<Vec<Row>, Problem>,
    has_key: bool,
    read: &str,
    parameters: &[Parameter<'_>],
) -> Result<Row, Problem> {
    let refusal = match made {
        Ok(rows) => match rows.into_iter().next() {
            Some(row) => return Ok(row),
            None => used_key(),
        },
        // Of two at the same time, one may meet another unique key of the row before the one that it looks at.
        Err(problem) if problem.is_duplicate() => problem,
        Err(problem) => return Err(problem),
    };
    let before = if has_key { caller.rows(read, parameters).await? } else { Vec::new() };
    before.into_iter().next().ok_or(refusal)
}

/// The id that a key of the caller's stands for.
fn id_of(caller: &Caller, key: Option<&str>) -> Option<Uuid> {
    /// Where ids that are made of keys come from.
    const KEYS: Uuid = Uuid::from_u128(0x6b1d_9e52_6f0c_4f57_9d4e_0f6a_2b7c_81a3);
    key.map(|key| Uuid::new_v5(&KEYS, format!("{} {key}", caller.identity()).as_bytes()))
}

fn used_key() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "the key was used for something else, or for what the caller does not see any more",
    )
}

/// As the client wrote it: numbers keep their digits.
fn json(body: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(body).map_err(|error| Problem::unexpected(&error))
}

fn version(row: &Row, column: &str) -> Result<String, Problem> {
    row.try_get(column).map_err(|error| Problem::unexpected(&error))
}

fn gone(id: Uuid) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no assignment {id}"))
}
