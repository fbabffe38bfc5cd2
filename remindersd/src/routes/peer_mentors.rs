//! Peer mentors, with the count that payments rely on.

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::page::{Id, Query, limit, page};
use crate::caller::{Caller, shown};
use crate::openapi::Refusals;
use crate::problem::Problem;

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02", "user_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c03", "name": "Mina",
    "email": "mina@example.org", "assignment_count": 7}))]
pub struct PeerMentor {
    pub id: Uuid,
    pub user_id: Uuid,
    /// NULL where it is not known, or not the caller's to see.
    pub name: Option<String>,
    pub email: Option<String>,
    /// How many assignments they have, by the database's count.
    #[schema(example = 7)]
    pub assignment_count: i32,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many rows, 100 unless said otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i32>,
    /// The last id of the page before.
    after: Option<Uuid>,
}

const LIST: &str = include_str!("../../sql/list_peer_mentors.sql");

/// The peer mentors that the caller sees, by id: for a mentor themselves, for a coordinator all of the organization.
#[utoipa::path(get, path = "/peer-mentors", operation_id = "list_peer_mentors", tag = "peer mentors", params(Page), responses(
    (status = 200, description = "A page", body = [PeerMentor],
     headers(("Link" = Option<String>, description = "rel=next: the next page, where there is one"))),
    Refusals,
))]
pub async fn list(
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Page>,
) -> Result<(HeaderMap, Json<Vec<PeerMentor>>), Problem> {
    let size = limit(wanted.limit)?;
    let none = None::<Uuid>;
    let rows =
        caller.rows(LIST, &[(&(size + 1), Type::INT4), (&wanted.after, Type::UUID), (&none, Type::UUID)]).await?;
    page(&rows, size, &uri, |last: &PeerMentor| vec![("after", last.id.to_string())])
}

/// One peer mentor.
#[utoipa::path(get, path = "/peer-mentors/{id}", operation_id = "get_peer_mentor", tag = "peer mentors", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The peer mentor", body = PeerMentor),
    Refusals,
))]
pub async fn read(caller: Caller, Id(id): Id) -> Result<Json<PeerMentor>, Problem> {
    let none = None::<Uuid>;
    let rows = caller.rows(LIST, &[(&1, Type::INT4), (&none, Type::UUID), (&id, Type::UUID)]).await?;
    let row =
        rows.first().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no peer mentor {id}")))?;
    shown(row, "row").map(Json)
}
