//! What is due: the due-date worker's contract.

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::page::{Query, limit, page, whole_key};
use crate::caller::Caller;
use crate::openapi::Refusals;
use crate::problem::Problem;

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"target": 24, "reminder_type": "24h", "organization_id": "00000000-0000-0000-0000-000000000001",
    "assignment_id": "0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10", "title": "Essay", "due_at": "2026-11-30T12:00:00Z",
    "due_at_local": "2026-11-30T13:00:00", "timezone": "Europe/Oslo", "student_id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01",
    "email": "sam@example.org", "name": "Sam"}))]
pub struct DueAssignment {
    /// Which of the targets it is near to.
    #[schema(example = 24)]
    pub target: i32,
    #[schema(example = "24h")]
    pub reminder_type: String,
    pub organization_id: Uuid,
    pub assignment_id: Uuid,
    #[schema(example = "Essay")]
    pub title: String,
    pub due_at: DateTime<Utc>,
    /// By the student's clock, without an offset.
    #[schema(value_type = String, example = "2026-11-30T13:00:00")]
    pub due_at_local: NaiveDateTime,
    #[schema(example = "Europe/Oslo")]
    pub timezone: String,
    pub student_id: Uuid,
    pub email: String,
    pub name: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Minutes,
    Hours,
    Days,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Due {
    #[param(inline, example = "hours")]
    unit: Unit,
    /// How many units ahead, several separated by commas.
    #[param(example = "24,2")]
    targets: String,
    /// How many minutes a due date may be off; 1 unless said otherwise.
    #[param(minimum = 0)]
    tolerance: Option<i32>,
    /// How many rows, 100 unless said otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i32>,
    /// The last row's target, due date and assignment of the page before: all three or none.
    after_target: Option<i32>,
    after_due_at: Option<DateTime<Utc>>,
    after_assignment_id: Option<Uuid>,
}

/// The open assignments that are due a number of minutes, hours or days from now, give or take the tolerance, and whose students can be
/// written to; one that is near two targets comes once for each. Of those that the caller sees.
#[utoipa::path(get, path = "/due-assignments", tag = "due dates", params(Due), responses(
    (status = 200, description = "A page, by target, due date and id", body = [DueAssignment],
     headers(("Link" = Option<String>, description = "rel=next: the next page, where there is one"))),
    Refusals,
))]
pub async fn due_assignments(
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(due): Query<Due>,
) -> Result<(HeaderMap, Json<Vec<DueAssignment>>), Problem> {
    let targets: Vec<i32> =
        due.targets.split(',').map(|target| target.trim().parse()).collect::<Result<_, _>>().map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("targets {:?} are not whole numbers with commas", due.targets),
            )
            .at("targets")
        })?;
    let size = limit(due.limit)?;
    whole_key(&[
        ("after_target", due.after_target.is_some()),
        ("after_due_at", due.after_due_at.is_some()),
        ("after_assignment_id", due.after_assignment_id.is_some()),
    ])?;
    let rows = caller
        .rows(
            include_str!("../../sql/due_assignments.sql"),
            &[
                (&due.unit.name(), Type::TEXT),
                (&targets, Type::INT4_ARRAY),
                (&due.tolerance.unwrap_or(1), Type::INT4),
                (&(size + 1), Type::INT4),
                (&due.after_target, Type::INT4),
                (&due.after_due_at, Type::TIMESTAMPTZ),
                (&due.after_assignment_id, Type::UUID),
            ],
        )
        .await?;
    page(&rows, size, &uri, |last: &DueAssignment| {
        vec![
            ("after_target", last.target.to_string()),
            ("after_due_at", last.due_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            ("after_assignment_id", last.assignment_id.to_string()),
        ]
    })
}

/// The same, where the due-date worker looks for it.
#[utoipa::path(get, path = "/due-assignments", operation_id = "due_assignments_of_worker", tag = "due dates", params(Due), responses(
    (status = 200, description = "A page, by target, due date and id", body = [DueAssignment],
     headers(("Link" = Option<String>, description = "rel=next: the next page, where there is one"))),
    Refusals,
))]
pub async fn due_assignments_of_worker(
    caller: Caller,
    uri: OriginalUri,
    due: Query<Due>,
) -> Result<(HeaderMap, Json<Vec<DueAssignment>>), Problem> {
    due_assignments(caller, uri, due).await
}
