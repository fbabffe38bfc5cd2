//! The bodies of requests: JSON, whole, of known members.

use std::time::Duration;

use axum::body::{Body as Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::problem::Problem;

/// Reads the body before anything else is done, so that nothing waits for a slow client.
pub async fn read(longest: usize, patience: Duration, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match timeout(patience, whole(longest, body)).await {
        Ok(Ok(body)) => next.run(Request::from_parts(parts, Bytes::from(body))).await,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time").into_response(),
    }
}

/// A body that is too long is not kept, but read, as far as anybody means to send one: a client that still writes when the connection is closed
/// finds it broken, and not the answer.
async fn whole(longest: usize, mut body: Bytes) -> Result<Vec<u8>, Problem> {
    const READ: usize = 32 * 1024 * 1024;
    let (mut bytes, mut length) = (Vec::new(), 0);
    while length <= longest.max(READ)
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body ended early"))?;
        // Trailers say nothing to us.
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= longest {
            bytes.extend_from_slice(&data);
        }
    }
    if length <= longest { Ok(bytes) } else { Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long")) }
}

pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
                let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                media == "application/json" || media.starts_with("application/") && media.ends_with("+json")
            });
        if !is_json {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not application/json"));
        }
        // It has been read, and is as long as it may be.
        let bytes = to_bytes(request.into_body(), usize::MAX).await.map_err(|error| Problem::unexpected(&error))?;
        // Members by position are nobody's contract.
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the body is an array, not an object"));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        let body = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let is_data = error.inner().is_data();
            let status = if is_data { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
            let problem = Problem::new(status, error.into_inner().to_string());
            if is_data && path != "." { problem.at(path) } else { problem }
        })?;
        deserializer.end().map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        Ok(Self(body))
    }
}
