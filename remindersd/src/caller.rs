//! Who asks: taken from the request, once.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use tokio::sync::watch;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::database::{Database, Parameter};
use crate::limits::{Limits, Streams};
use crate::problem::Problem;
use crate::routes::Links;
use crate::token::{Claims, Refused, Verifier};
use crate::webhooks::Webhooks;

/// What all requests share.
#[derive(Clone)]
pub struct App {
    pub database: Database,
    pub verifier: Arc<Verifier>,
    pub limits: Arc<Limits>,
    pub streams: Streams,
    pub webhooks: Webhooks,
    /// The links by which people unsubscribe. None: they cannot.
    pub links: Option<Arc<Links>>,
    /// True once the service is to stop.
    pub stopping: watch::Receiver<bool>,
}

/// Whoever asks, with a genuine token, and what they ask with.
pub struct Caller {
    pub claims: Claims,
    method: Method,
    database: Database,
}

impl Caller {
    /// The rows of one statement, in one transaction of the caller's.
    pub async fn rows(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Problem> {
        self.database.rows(&self.claims, &self.method, sql, parameters).await
    }

    /// Whoever asks, across tokens and organizations.
    pub fn identity(&self) -> &str {
        &self.claims.identity
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let token = token.ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "the request carries no token")
                .hint("Send Authorization: Bearer and a JWT.")
        })?;
        let claims = app.verifier.claims(token).map_err(|refused| match refused {
            Refused::Unauthenticated(why) => Problem::new(StatusCode::UNAUTHORIZED, why),
            Refused::RoleNotAllowed => Problem::new(StatusCode::FORBIDDEN, "the token's role may not use this service"),
        })?;
        if !app.limits.allow(&claims.identity) {
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests in the last minute"));
        }
        Ok(Self { claims, method: parts.method.clone(), database: app.database.clone() })
    }
}

/// A column of a row, as JSON that the description of the API knows.
pub fn shown<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T, Problem> {
    row.try_get(column).map(|Json(value)| value).map_err(|error| Problem::unexpected(&error))
}
