//! The description of the API: what all routes share. The rest stands beside each route.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Description};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::caller::App;
use crate::problem::Problem;
use crate::routes;

/// Why a request may be refused.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum Refusals {
    /// The URL, a header or the JSON is not as described
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No token, or none that is genuine and valid
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// Not the caller's to do
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Not there, or not the caller's to see
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Too many requests of this caller
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// The database is away, busy, or others came between three times
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Why a request that writes may be refused besides.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum BodyRefusals {
    /// Something of this name or key is there already
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The body is too long
    #[response(status = 413, content_type = "application/problem+json")]
    TooLong(Problem),
    /// The body is not application/json
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(Problem),
    /// A value that cannot be: `field` says which
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
}

/// Why one that was made for a version may be.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum VersionRefusals {
    /// It was changed since
    #[response(status = 412, content_type = "application/problem+json")]
    PreconditionFailed(Problem),
}

#[derive(OpenApi)]
#[openapi(
    info(title = "assignment_reminders", description = "Assignments, their contacts, counts and due dates. Every answer is the database's, by the caller's rights."),
    modifiers(&Token),
    security(("token" = [])),
    components(schemas(Problem)),
)]
struct Api;

struct Token;

impl Modify for Token {
    fn modify(&self, description: &mut Description) {
        let scheme = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
        description.components.get_or_insert_with(Components::new).add_security_scheme("token", scheme);
    }
}

/// All routes, with the whole description.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Api::openapi()).merge(routes::all())
}
