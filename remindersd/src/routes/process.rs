//! The process itself.

use axum::extract::State;

use crate::caller::App;
use crate::problem::Problem;

/// Whether the process runs and reaches its database.
#[utoipa::path(get, path = "/healthz", tag = "process", security(()), responses(
    (status = 200, description = "It does", body = String, content_type = "text/plain", example = "ok"),
    (status = 503, description = "The database cannot be reached", body = Problem, content_type = "application/problem+json",
     example = json!({"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "the database cannot be reached"})),
))]
pub async fn healthz(State(app): State<App>) -> Result<&'static str, Problem> {
    app.database.ping().await.map(|()| "ok")
}
