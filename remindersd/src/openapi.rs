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
    #[response(status = 400, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "limit 0 is not between 1 and 1000", "field": "limit"}))]
    BadRequest(Problem),
    /// No token, or none that is genuine and valid
    #[response(status = 401, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "the token has expired"}))]
    Unauthorized(Problem),
    /// Not the caller's to do
    #[response(status = 403, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "it is not the caller's to change"}))]
    Forbidden(Problem),
    /// Not there, or not the caller's to see
    #[response(status = 404, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no assignment 0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10"}))]
    NotFound(Problem),
    /// Too many requests of this caller
    #[response(status = 429, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "too many requests in the last minute"}))]
    TooManyRequests(Problem),
    /// The database is away, busy, or others came between three times
    #[response(status = 503, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "57014", "detail": "canceling statement due to statement timeout"}))]
    Unavailable(Problem),
}

/// Why a request that writes may be refused besides.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum BodyRefusals {
    /// Something of this name or key is there already
    #[response(status = 409, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Conflict", "status": 409, "code": "23505", "detail": "duplicate key value violates unique constraint \"assignments_pkey\""}))]
    Conflict(Problem),
    /// The body did not come in time
    #[response(status = 408, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Request Timeout", "status": 408, "detail": "the body did not come in time"}))]
    TooSlow(Problem),
    /// The body is too long
    #[response(status = 413, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Payload Too Large", "status": 413, "detail": "the body is too long"}))]
    TooLong(Problem),
    /// The body is not application/json
    #[response(status = 415, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Unsupported Media Type", "status": 415, "detail": "the body is not application/json"}))]
    NotJson(Problem),
    /// A value that cannot be: `field` says which
    #[response(status = 422, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "23503", "detail": "insert or update on table \"assignments\" violates foreign key constraint \"assignments_student_fkey\"", "field": "student_id"}))]
    Unprocessable(Problem),
}

/// Why one that was made for a version may be.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum VersionRefusals {
    /// It was changed since
    #[response(status = 412, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Precondition Failed", "status": 412, "detail": "it was changed since the version that If-Match names"}))]
    PreconditionFailed(Problem),
}

/// Why what has more than one format may be.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum FormatRefusals {
    /// The client takes none of its formats
    #[response(status = 406, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Not Acceptable", "status": 406, "detail": "a statement is application/json or text/csv"}))]
    NotAcceptable(Problem),
}

/// Why a webhook may be.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum WebhookRefusals {
    /// The body is not as the provider documents it
    #[response(status = 400, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "the body is not an array of events"}))]
    BadRequest(Problem),
    /// The signature, or the user and password, are missing or wrong, or the signature is too old
    #[response(status = 401, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "the signature is wrong"}))]
    Unauthorized(Problem),
    /// No webhook of this provider and organization is configured
    #[response(status = 404, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no such webhook"}))]
    NotFound(Problem),
    /// The body did not come in time
    #[response(status = 408, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Request Timeout", "status": 408, "detail": "the body did not come in time"}))]
    TooSlow(Problem),
    /// The body is too long
    #[response(status = 413, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Payload Too Large", "status": 413, "detail": "the body is too long"}))]
    TooLong(Problem),
    /// The event is of a type that has no meaning here (generic)
    #[response(status = 422, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "detail": "type \"bounce\" is none of delivered, bounced, delayed, rejected, complained and unsubscribed", "field": "type"}))]
    Undefined(Problem),
    /// It cannot be recorded now, or is of a message that may not be known yet, and is to be sent again
    #[response(status = 503, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "the database cannot be reached"}))]
    Unavailable(Problem),
}

/// Why nobody is unsubscribed. A person reads a page, a mail program gets a problem.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub enum UnsubscribeRefusals {
    /// The body does not say what to stop
    #[response(status = 400, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "the body does not say what to stop"}))]
    BadRequest(Problem),
    /// The body did not come in time
    #[response(status = 408, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Request Timeout", "status": 408, "detail": "the body did not come in time"}))]
    TooSlow(Problem),
    /// The body is too long
    #[response(status = 413, content_type = "application/problem+json", example = json!({"type": "about:blank", "title": "Payload Too Large", "status": 413, "detail": "the body is too long"}))]
    TooLong(Problem),
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
