//! Versions of a row, as ETag and If-Match name them (RFC 9110, 8.8.3 and 13.1.1).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::problem::Problem;

/// The versions that a write was meant for; `None`: any.
pub struct IfMatch(pub Option<Vec<String>>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut versions = Vec::new();
        for value in parts.headers.get_all(header::IF_MATCH) {
            let text = value
                .to_str()
                .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "If-Match is not a list of entity tags"))?;
            versions.extend(text.split(',').map(|tag| tag.trim().to_string()));
        }
        if versions.is_empty() || versions.iter().any(|tag| tag == "*") {
            return Ok(Self(None));
        }
        // Weak ones never match; what is no tag of ours matches nothing.
        let ours = versions.iter().filter_map(|tag| Some(tag.strip_prefix('"')?.strip_suffix('"')?.to_string()));
        Ok(Self(Some(ours.collect())))
    }
}

impl IfMatch {
    /// Why a row that the caller sees was not written: it is another version, or it is not theirs to write.
    pub fn refusal(&self, seen: &str) -> Problem {
        match &self.0 {
            Some(versions) if versions.iter().all(|version| version != seen) => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "it was changed since the version that If-Match names")
                    .hint("Read it again, and repeat the change on what it is now.")
            }
            _ => Problem::new(StatusCode::FORBIDDEN, "it is not the caller's to change"),
        }
    }
}

pub fn etag(version: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{version}\"")) {
        headers.insert(header::ETAG, value);
    }
    headers
}
