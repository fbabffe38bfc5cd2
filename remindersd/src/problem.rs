//! Errors as clients see them: RFC 9457. Which status an SQLSTATE has is decided here, and what is never told.

use std::error::Error;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio_postgres::error::{DbError, SqlState};
use utoipa::ToSchema;

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, by the status.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    #[schema(example = "Not Found")]
    title: String,
    #[schema(example = 404)]
    status: u16,
    /// The SQLSTATE, where the database said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "02000")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "there is no assignment 0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The member of the request that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// How to authenticate, where that is missing (RFC 9110, 11.6.1).
    #[serde(skip)]
    challenge: &'static str,
    /// In how many seconds to try again, where that may help (RFC 9110, 10.2.3).
    #[serde(skip)]
    retry_after: &'static str,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::bare(status) }
    }

    fn bare(status: StatusCode) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_string(),
            status: status.as_u16(),
            code: None,
            detail: None,
            hint: None,
            field: None,
            challenge: "Bearer",
            retry_after: "1",
        }
    }

    pub fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Of the member that its words begin with; else of the last of them.
    pub fn at_named(self, members: &[&str]) -> Self {
        let detail = self.detail.as_deref().unwrap_or_default();
        let named = members.iter().find(|member| detail.starts_with(**member)).or(members.last());
        match named.map(ToString::to_string) {
            Some(member) => self.at(member),
            None => self,
        }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub fn challenge(self, challenge: &'static str) -> Self {
        Self { challenge, ..self }
    }

    pub fn retry_after(self, seconds: &'static str) -> Self {
        Self { retry_after: seconds, ..self }
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the database refused, in a request with this method.
    pub fn refused(error: &DbError, method: &Method) -> Self {
        let Some(status) = status(error.code(), method) else {
            tracing::error!(sqlstate = error.code().code(), "{}", error.message());
            return Self::bare(StatusCode::INTERNAL_SERVER_ERROR);
        };
        Self {
            code: Some(error.code().code().to_string()),
            detail: Some(error.message().to_string()),
            hint: error.hint().map(ToString::to_string),
            field: field(error),
            ..Self::bare(status)
        }
    }

    /// Whether a row with this key is there already.
    pub fn is_duplicate(&self) -> bool {
        self.code.as_deref() == Some(SqlState::UNIQUE_VIOLATION.code())
    }

    /// Whether the database said so, by an SQLSTATE of this class.
    pub fn is_of_class(&self, class: &str) -> bool {
        self.code.as_deref().is_some_and(|code| code.starts_with(class))
    }

    /// What is nobody's doing but ours: nothing is told of it.
    pub fn unexpected(error: &dyn Error) -> Self {
        tracing::error!("{}", explained(error));
        Self::bare(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What did not reach the database.
    pub fn unavailable(error: &dyn Error) -> Self {
        tracing::error!("{}", explained(error));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let (code, detail) = (self.code.as_deref(), self.detail.as_deref());
        write!(formatter, "{} {} {}", self.status, code.unwrap_or_default(), detail.unwrap_or_default())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, challenge, retry_after) = (self.status(), self.challenge, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(retry_after));
            }
            _ => {}
        }
        response
    }
}

/// An error with its causes: Postgres's words are one.
pub fn explained(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some say what caused them already.
        let reason = error.to_string();
        if !words.ends_with(&reason) {
            words = format!("{words}: {reason}");
        }
        cause = error.source();
    }
    words
}

/// The status of an SQLSTATE; none for one that no client causes, of which nothing is told.
fn status(code: &SqlState, method: &Method) -> Option<StatusCode> {
    let code = code.code();
    Some(match code {
        "02000" => StatusCode::NOT_FOUND,
        "42501" => StatusCode::FORBIDDEN,
        "23505" => StatusCode::CONFLICT,
        "428C9" => StatusCode::UNPROCESSABLE_ENTITY,
        // 25006: of a standby, for a while.
        "40001" | "40P01" | "57014" | "55P03" | "25006" => StatusCode::SERVICE_UNAVAILABLE,
        _ if code.starts_with("53") || code.starts_with("57") || code.starts_with("08") => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        // What was asked for in the URL, or what a body said; 54: it is more than Postgres has room for.
        _ if (code.starts_with("22") || code.starts_with("54"))
            && (method == Method::GET || method == Method::HEAD) =>
        {
            StatusCode::BAD_REQUEST
        }
        _ if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => StatusCode::UNPROCESSABLE_ENTITY,
        _ if is_of_the_programme(code) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return None,
    })
}

/// Whether a trigger of the programme's own said no, in its own words: RAISE without a code, or a class that is not Postgres's (appendix A
/// of its manual).
fn is_of_the_programme(code: &str) -> bool {
    const CLASSES: &str = "00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 58 \
                           72 F0 HV P0 XX";
    code == "P0001" || code.get(..2).is_some_and(|class| !CLASSES.split_whitespace().any(|known| known == class))
}

/// Whether to try again: others came between.
pub fn is_passing(code: &SqlState) -> bool {
    matches!(code.code(), "40001" | "40P01")
}

/// The column at fault, or the one that a constraint is named after: assignments_student_fkey after student_id.
fn field(error: &DbError) -> Option<String> {
    const COLUMNS: [&str; 12] = [
        "title",
        "description",
        "student_id",
        "peer_mentor_id",
        "coordinator_id",
        "due_at",
        "status",
        "assigned_on",
        "metadata",
        "occurred_at",
        "registration",
        "notes",
    ];
    if let Some(column) = error.column() {
        return Some(column.to_string());
    }
    let named = error.constraint()?.strip_prefix(error.table()?)?.strip_prefix('_')?;
    COLUMNS.iter().find(|column| named.starts_with(column.trim_end_matches("_id"))).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_is_never_a_5xx_and_what_it_did_not_cause_tells_nothing() {
        for (code, get, post) in [
            ("02000", 404, 404),
            ("42501", 403, 403),
            ("22023", 400, 422),
            ("22P02", 400, 422),
            ("22008", 400, 422),
            ("22004", 400, 422),
            ("23505", 409, 409),
            ("23503", 422, 422),
            ("23514", 422, 422),
            ("428C9", 422, 422),
            ("P0001", 422, 422),
            ("45000", 422, 422),
            ("PT402", 422, 422),
            ("54001", 400, 422),
            ("40001", 503, 503),
            ("57014", 503, 503),
            ("53300", 503, 503),
        ] {
            let of = |method| status(&SqlState::from_code(code), &method).map(|status| status.as_u16());
            assert_eq!((of(Method::GET), of(Method::POST)), (Some(get), Some(post)), "{code}");
        }
        for code in ["XX000", "42P01", "39P01", "55000", "P0004", "0A000"] {
            assert_eq!(status(&SqlState::from_code(code), &Method::POST), None, "{code}");
        }
    }
}
