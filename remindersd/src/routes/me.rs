//! Whoever asks, their organization's health, and what concerns them first: what the screen begins with.

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::page::{Query, limit, page, whole_key};
use crate::caller::{Caller, shown};
use crate::openapi::Refusals;
use crate::problem::Problem;

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"user_id": "c2f4a6b8-0d1e-4f3a-9b5c-7d8e9f0a1b04", "name": "Kari", "role": "coordinator",
    "organization": "North", "peer_mentor_id": null}))]
pub struct Me {
    pub user_id: Uuid,
    pub name: Option<String>,
    pub role: Role,
    /// The organization's name.
    pub organization: String,
    /// As assignments name them, where they are a peer mentor.
    pub peer_mentor_id: Option<Uuid>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Member,
    Coordinator,
    Admin,
}

/// Whoever asks, as the database knows them.
#[utoipa::path(get, path = "/me", tag = "people", responses(
    (status = 200, description = "Them", body = Me),
    Refusals,
))]
pub async fn me(caller: Caller) -> Result<Json<Me>, Problem> {
    let rows = caller.rows(include_str!("../../sql/me.sql"), &[]).await?;
    let row = rows
        .first()
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "the token's subject is nobody in its organization"))?;
    shown(row, "row").map(Json)
}

/// How the daily run stands.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "warning", "reasons": ["3 escalations have no coordinator"],
    "last_run_at": "2026-11-10T06:00:00Z"}))]
pub struct Health {
    pub status: HealthStatus,
    /// Worst first.
    pub reasons: Vec<String>,
    pub last_run_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    Ok,
    Warning,
    Critical,
}

/// Whether the daily run does its work for the caller's organization. For its coordinators and admins.
#[utoipa::path(get, path = "/health", tag = "people", responses(
    (status = 200, description = "The verdict, whichever it is", body = Health),
    Refusals,
))]
pub async fn health(caller: Caller) -> Result<Json<Health>, Problem> {
    let rows =
        caller.rows(include_str!("../../sql/health.sql"), &[]).await.map_err(|problem| match problem.status() {
            // What the database hints at is for whoever writes SQL.
            StatusCode::FORBIDDEN => {
                Problem::new(StatusCode::FORBIDDEN, "the health of an organization is not the caller's to see")
                    .hint("Its coordinators and admins see it (users.role).")
            }
            _ => problem,
        })?;
    let row = rows.first().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no verdict"))?;
    shown(row, "row").map(Json)
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"assignment_id": "0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10", "title": "Essay", "last_contact_date": "2026-11-10",
    "silent_since": "2026-11-10", "days_since": 17, "student_id": "5a1c2f60-1f0b-4a58-8a0e-2f6c3b1d9e01", "student_name": "Sam",
    "peer_mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02", "peer_mentor_name": "Mina"}))]
pub struct SilentAssignment {
    pub assignment_id: Uuid,
    #[schema(example = "Essay")]
    pub title: String,
    /// NULL: there never was any.
    pub last_contact_date: Option<NaiveDate>,
    pub silent_since: NaiveDate,
    /// Calendar days in the organization's time zone.
    #[schema(example = 17)]
    pub days_since: i32,
    pub student_id: Uuid,
    pub student_name: Option<String>,
    pub peer_mentor_id: Option<Uuid>,
    pub peer_mentor_name: Option<String>,
    /// What comes next, where that was asked for. NULL: nobody follows it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
}

/// How far a silence has got, as the view silent_assignments says it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Outlook {
    pub counted_days: i32,
    /// Whoever is told instead of the mentor: the coordinator, or the fallback.
    pub coordinator_id: Option<Uuid>,
    pub coordinator_name: Option<String>,
    /// When the mentor was reminded of this silence.
    pub last_reminder_sent_at: Option<DateTime<Utc>>,
    /// silent, reminder_waits, reminded, escalation_waits or escalated.
    #[schema(example = "silent")]
    pub state: String,
    /// remind or escalate, and the day of it, if nothing changes. NULL: nothing.
    pub next_action: Option<String>,
    pub next_on: Option<NaiveDate>,
    /// Why nobody will hear of it. NULL: somebody will.
    pub forgotten: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Silence {
    /// How many rows, 100 unless said otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i32>,
    /// silent_since and assignment_id of the last row of the page before: both or none.
    after_silent_since: Option<NaiveDate>,
    after_assignment_id: Option<Uuid>,
    /// true: with what comes next of each that is followed up. For coordinators and admins.
    outlook: Option<bool>,
}

/// The open assignments that the caller sees, longest silent first; for a coordinator, with what comes next.
#[utoipa::path(get, path = "/silent-assignments", tag = "assignments", params(Silence), responses(
    (status = 200, description = "A page", body = [SilentAssignment],
     headers(("Link" = Option<String>, description = "rel=next: the next page, where there is one"))),
    Refusals,
))]
pub async fn silent_assignments(
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(silence): Query<Silence>,
) -> Result<(HeaderMap, Json<Vec<SilentAssignment>>), Problem> {
    let size = limit(silence.limit)?;
    whole_key(&[
        ("after_silent_since", silence.after_silent_since.is_some()),
        ("after_assignment_id", silence.after_assignment_id.is_some()),
    ])?;
    let sql = if silence.outlook == Some(true) {
        include_str!("../../sql/silent_outlooks.sql")
    } else {
        include_str!("../../sql/silent_assignments.sql")
    };
    let rows = caller
        .rows(
            sql,
            &[
                (&(size + 1), Type::INT4),
                (&silence.after_silent_since, Type::DATE),
                (&silence.after_assignment_id, Type::UUID),
            ],
        )
        .await?;
    page(&rows, size, &uri, |last: &SilentAssignment| {
        vec![
            ("after_silent_since", last.silent_since.to_string()),
            ("after_assignment_id", last.assignment_id.to_string()),
        ]
    })
}
